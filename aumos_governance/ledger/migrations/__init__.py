"""Alembic's migrations of the ledger's tables, which run when a ledger is opened."""
