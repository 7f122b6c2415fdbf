"""Verification: the tables of the ledger are compared with its audit records.

The records are read once, chain by chain. Each event has a rule (in `rules`): a small function that derives from a
record the values that the tables must contain after it. These are compared with the stored values. The columns that no
record proves are listed in `unproven`.
"""
