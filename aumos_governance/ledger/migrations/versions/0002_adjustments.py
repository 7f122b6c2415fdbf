"""Adds the table of estimated charges, each of which may be adjusted once to a true cost that becomes known later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# PostgreSQL must sort text by code point, as SQLite does by default.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "estimates",
        sa.Column("charge_id", TEXT, nullable=False),
        sa.Column("reference", TEXT, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("adjusted", sa.BigInteger(), nullable=True),
        sa.Column("adjusted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("estimates_charge_id_fk")),
        sa.PrimaryKeyConstraint("charge_id", name=op.f("estimates_pk")),
    )
    op.create_index(
        "estimates_reference",
        "estimates",
        ["reference"],
        sqlite_where=sa.text("reference IS NOT NULL"),
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
