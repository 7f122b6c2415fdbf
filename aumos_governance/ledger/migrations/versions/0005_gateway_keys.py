"""Adds the table of the gateway's keys: the digest of each key, its kernel or terminal, and when it was revoked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# PostgreSQL must sort text by code point, as SQLite does by default.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "gateway_keys",
        sa.Column("id", TEXT, nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("digest", "owner", "root", "kind", "name")),
        sa.Column("notebook_id", TEXT, nullable=True),
        *(sa.Column(name, TEXT, nullable=False) for name in ("subject", "server")),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", TEXT, nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["notebook_id"], ["notebooks.id"], name=op.f("gateway_keys_notebook_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("gateway_keys_pk")),
    )
    op.create_index(
        "gateway_keys_valid",
        "gateway_keys",
        ["owner", "root"],
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
