"""One transaction of the ledger: the tables and their rows, and the `Work` by which operations load and change rows.

A backend (memory, SQLite or PostgreSQL) implements only `store.Store`, which loads and writes the rows.
"""
