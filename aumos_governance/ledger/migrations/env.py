"""The environment script that Alembic executes: it runs the migrations over the connection from `sql.migrate`."""

from __future__ import annotations

from alembic import context

from aumos_governance.ledger.sql.migrate import VERSION_TABLE
from aumos_governance.ledger.transaction.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # The caller's transaction, which excludes other processes, must not be committed here.
    transactional_ddl=False,
)
context.run_migrations()
