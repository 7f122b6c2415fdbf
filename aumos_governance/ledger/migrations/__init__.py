"""The migrations that create and upgrade the ledger's tables. `sql.migrate` runs them with Alembic at opening."""
