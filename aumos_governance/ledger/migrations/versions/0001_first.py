"""Creates the tables of notebooks, sessions, envelopes, charges, approvals, trust, responses and audit records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# PostgreSQL must sort text by code point, as SQLite does by default.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "asks",
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("notebook_id", TEXT, nullable=True),
        sa.Column("charge_id", TEXT, nullable=True),
        sa.Column("cancelled", sa.SmallInteger(), nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("asks_pk")),
        sqlite_with_rowid=False,
    )
    op.create_index("asks_at", "asks", ["at"])
    op.create_table(
        "audit",
        sa.Column("chain", TEXT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("record_id", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("notebook", TEXT, nullable=False),
        sa.Column("notebook_id", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=True),
        sa.Column("reasons", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=True),
        sa.Column("tool", TEXT, nullable=True),
        sa.Column("action_type", TEXT, nullable=True),
        sa.Column("resource", TEXT, nullable=True),
        sa.Column("cell_id", TEXT, nullable=True),
        sa.Column("execution_count", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("spent_delta", sa.BigInteger(), nullable=False),
        sa.Column("held_delta", sa.BigInteger(), nullable=False),
        sa.Column("charge_id", TEXT, nullable=True),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("previous_hash", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("audit_pk")),
    )
    op.create_index(
        "audit_action_type",
        "audit",
        ["action_type", "at"],
        sqlite_where=sa.text("action_type IS NOT NULL"),
        postgresql_where=sa.text("action_type IS NOT NULL"),
    )
    op.create_index(
        "audit_agent_id",
        "audit",
        ["agent_id", "at", "spent_delta"],
        sqlite_where=sa.text("agent_id IS NOT NULL"),
        postgresql_where=sa.text("agent_id IS NOT NULL"),
    )
    op.create_index("audit_at", "audit", ["at"])
    op.create_index("audit_event", "audit", ["event", "at"])
    op.create_index("audit_notebook", "audit", ["notebook_id", "at"])
    op.create_index(
        "audit_outcome",
        "audit",
        ["outcome", "at", "tool", "agent_id", "spent_delta"],
        sqlite_where=sa.text("outcome <> 'allow'"),
        postgresql_where=sa.text("outcome <> 'allow'"),
    )
    op.create_index(
        "audit_resource",
        "audit",
        ["resource", "at"],
        sqlite_where=sa.text("resource IS NOT NULL"),
        postgresql_where=sa.text("resource IS NOT NULL"),
    )
    op.create_index(
        "audit_tool",
        "audit",
        ["tool", "at", "spent_delta"],
        sqlite_where=sa.text("tool IS NOT NULL"),
        postgresql_where=sa.text("tool IS NOT NULL"),
    )
    op.create_table(
        "chains",
        sa.Column("chain", TEXT, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("head", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("chains_pk")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "configurations",
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("root", TEXT, nullable=False),
        sa.Column("envelopes", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("owner", "root", name=op.f("configurations_pk")),
    )
    op.create_table(
        "consents",
        sa.Column("realm", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=False),
        sa.Column("data_type", TEXT, nullable=False),
        sa.Column("purpose", TEXT, nullable=False),
        sa.Column("granted_by", TEXT, nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("realm", "agent_id", "data_type", "purpose", name=op.f("consents_pk")),
    )
    op.create_table(
        "envelopes",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("ceiling", sa.BigInteger(), nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("envelopes_pk")),
    )
    op.create_index("envelopes_subject", "envelopes", ["subject"])
    op.create_table(
        "notebooks",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("root", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("session_id", TEXT, nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_sessions", sa.BigInteger(), nullable=False),
        sa.Column("closed_spent", sa.BigInteger(), nullable=False),
        sa.Column("closed_budget", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("notebooks_pk")),
    )
    op.create_index(
        "notebooks_deleted",
        "notebooks",
        ["owner", "root", "path"],
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "notebooks_live",
        "notebooks",
        ["owner", "root", "path"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "trust",
        sa.Column("realm", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=True),
        sa.Column("assigned_by", TEXT, nullable=True),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("realm", "agent_id", "scope", name=op.f("trust_pk")),
    )
    op.create_table(
        "balances",
        sa.Column("envelope_id", TEXT, nullable=False),
        sa.Column("period_start", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("charges", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["envelope_id"], ["envelopes.id"], name=op.f("balances_envelope_id_fk")),
        sa.PrimaryKeyConstraint("envelope_id", "period_start", name=op.f("balances_pk")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("notebook_id", TEXT, nullable=False),
        sa.Column("trust_level", sa.SmallInteger(), nullable=False),
        sa.Column("trust_set_by", TEXT, nullable=False),
        sa.Column("trust_by_person", sa.SmallInteger(), nullable=False),
        sa.Column("budget_set_by", TEXT, nullable=False),
        sa.Column("budget_by_person", sa.SmallInteger(), nullable=False),
        sa.Column("agent_id", TEXT, nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", TEXT, nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("envelope_id", TEXT, nullable=False),
        sa.Column("outer_envelopes", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["notebook_id"], ["notebooks.id"], name=op.f("sessions_notebook_id_fk")),
        sa.ForeignKeyConstraint(["envelope_id"], ["envelopes.id"], name=op.f("sessions_envelope_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_pk")),
    )
    op.create_index(
        "sessions_open",
        "sessions",
        ["notebook_id"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "approvals",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("session_id", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("shown", TEXT, nullable=True),
        sa.Column("tool", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("incarnation", TEXT, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("approvals_session_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("approvals_pk")),
    )
    op.create_index(
        "approvals_pending",
        "approvals",
        ["until"],
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "charges",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("session_id", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("corrected", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("envelopes", TEXT, nullable=False),
        sa.Column("tool", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=True),
        sa.Column("category", TEXT, nullable=True),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("incarnation", TEXT, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_by", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("charges_session_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("charges_pk")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "charges_due",
        "charges",
        ["until"],
        sqlite_where=sa.text("until IS NOT NULL AND state IN ('held', 'unresolved')"),
        postgresql_where=sa.text("until IS NOT NULL AND state IN ('held', 'unresolved')"),
    )
    op.create_index(
        "charges_open",
        "charges",
        ["incarnation"],
        sqlite_where=sa.text("state IN ('held', 'unresolved')"),
        postgresql_where=sa.text("state IN ('held', 'unresolved')"),
    )
    op.create_table(
        "reports",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("session_id", TEXT, nullable=False),
        sa.Column("tool", TEXT, nullable=False),
        sa.Column("agent_id", TEXT, nullable=True),
        sa.Column("charge_id", TEXT, nullable=True),
        sa.Column("shown", TEXT, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", TEXT, nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("reports_session_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("reports_pk")),
    )
    op.create_index(
        "reports_unseen",
        "reports",
        ["session_id"],
        sqlite_where=sa.text("acknowledged_at IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )
    op.create_table(
        "corrections",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("charge_id", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("corrections_charge_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("corrections_pk")),
    )
    op.create_index("corrections_charge", "corrections", ["charge_id"])
    op.execute("INSERT INTO chains (chain, count, head) VALUES ('ledger', 0, '')")
