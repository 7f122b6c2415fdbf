"""PostgreSQL beneath the ledger."""
