"""Computations of the ledger that need neither storage nor a clock: hashes, verdicts, identities and formats."""
