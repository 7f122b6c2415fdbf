"""The ledger's database in PostgreSQL."""
