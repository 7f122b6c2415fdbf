"""Verification: the tables of the ledger are compared with its audit records.

The records are read once, chain by chain. Each event has a rule, a small function that derives from a record what the
tables must contain after it (`rules`). The result is compared with what the tables do contain. The columns that no
record proves are listed in `unproven`.
"""
