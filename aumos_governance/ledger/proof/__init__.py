"""Verification: the tables of the ledger are compared with its audit records.

The records are read once, chain by chain. For each event, one small function, its rule, derives what the tables must
contain after a record of it (`rules`), and that is compared with what they do contain. The columns that no record
proves are listed in `unproven`.
"""
