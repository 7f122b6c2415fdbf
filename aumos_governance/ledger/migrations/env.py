"""Run by Alembic: migrates over the connection that it is handed."""

from __future__ import annotations

from alembic import context

from aumos_governance.ledger.sql.migrate import VERSION_TABLE
from aumos_governance.ledger.transaction.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # The caller's transaction holds out other processes; it ends where the caller says.
    transactional_ddl=False,
)
context.run_migrations()
