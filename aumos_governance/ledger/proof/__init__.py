"""Proves the ledger's tables by its audit records: what each kind of record says about which row.

The records are walked once. Each kind of record has one small function, its rule, that says what the tables must hold
after it (`rules`); what they do hold is compared with that. What no record says is listed in `unproven`.
"""
