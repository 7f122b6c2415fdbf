"""The ledger's database in SQLite."""
