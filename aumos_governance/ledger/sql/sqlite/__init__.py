"""SQLite beneath the ledger."""
