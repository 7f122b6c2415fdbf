"""The migrations of the ledger's tables, one Alembic revision each; `sql.migrate` runs the missing ones at opening."""
