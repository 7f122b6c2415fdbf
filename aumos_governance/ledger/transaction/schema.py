"""The tables, the same on SQLite and PostgreSQL. `rows` and `chain` name their columns.

Money and times are BIGINT (nano-USD, microseconds); JSON is TEXT in one canonical form, since it is hashed.
Text sorts by code point everywhere, so that ranges of paths mean the same. On SQLite the rows of small tables that
nearly every request writes to lie in their primary key (``sqlite_with_rowid``): one page less to write for each.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, SmallInteger, Table, Text, text

__all__ = ["audit", "metadata", "tables"]

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "ix": "%(table_name)s_%(column_0_name)s",
    }
)

_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")


def _text(name: str, *, null: bool = False, primary_key: bool = False) -> Column[str]:
    return Column(name, _TEXT, nullable=null, primary_key=primary_key)


def _int(name: str, *, null: bool = False, primary_key: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null, primary_key=primary_key, autoincrement=False)


def _flag(name: str) -> Column[int]:
    return Column(name, SmallInteger, nullable=False)


def _reference(name: str, table: str, *, primary_key: bool = False) -> Column[str]:
    return Column(name, _TEXT, ForeignKey(f"{table}.id"), nullable=False, primary_key=primary_key)


def _partial(name: str, *of: Column[Any], where: str, unique: bool = False) -> Index:
    return Index(name, *of, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


notebooks = Table(
    "notebooks",
    metadata,
    _text("id", primary_key=True),
    _text("owner"),
    _text("root"),
    _text("path"),
    _int("seq"),
    _text("session_id", null=True),
    _int("deleted_at", null=True),
    _int("closed_sessions"),
    _int("closed_spent"),
    _int("closed_budget"),
    _int("closed_at", null=True),
    # Filled in every row. Tables of the first version have no such column, and SQLite adds none that must be filled.
    _text("file", null=True),
)
_place = (notebooks.c.owner, notebooks.c.file)
_partial("notebooks_live", *_place, unique=True, where="deleted_at IS NULL")
_partial("notebooks_deleted", *_place, where="deleted_at IS NOT NULL")

aliases = Table(
    "notebook_aliases",
    metadata,
    _reference("id", "notebooks", primary_key=True),
    _reference("notebook_id", "notebooks"),
)
Index("notebook_aliases_notebook", aliases.c.notebook_id)

envelopes = Table(
    "envelopes",
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _text("name"),
    _text("period"),
    _int("ceiling"),
    _text("subject"),
)
Index("envelopes_subject", envelopes.c.subject)

sessions = Table(
    "sessions",
    metadata,
    _text("id", primary_key=True),
    _reference("notebook_id", "notebooks"),
    _flag("trust_level"),
    _text("trust_set_by"),
    _flag("trust_by_person"),
    _text("budget_set_by"),
    _flag("budget_by_person"),
    _text("agent_id", null=True),
    _int("opened_at"),
    _text("opened_by"),
    _int("closed_at", null=True),
    _reference("envelope_id", "envelopes"),
    _text("outer_envelopes"),
)
_partial("sessions_open", sessions.c.notebook_id, where="closed_at IS NULL")

balances = Table(
    "balances",
    metadata,
    _reference("envelope_id", "envelopes", primary_key=True),
    _int("period_start", primary_key=True),
    _int("spent"),
    _int("held"),
    _int("charges"),
    sqlite_with_rowid=False,
)

chains = Table(
    "chains",
    metadata,
    _text("chain", primary_key=True),
    _int("count"),
    _text("head"),
    sqlite_with_rowid=False,
)

charges = Table(
    "charges",
    metadata,
    _text("id", primary_key=True),
    _reference("session_id", "sessions"),
    _text("state"),
    _int("amount"),
    _int("spent"),
    _int("corrected"),
    _int("at"),
    _text("envelopes"),
    _text("tool"),
    _text("agent_id", null=True),
    _text("category", null=True),
    _text("scope"),
    _text("incarnation"),
    _int("until", null=True),
    _int("resolved_at", null=True),
    _text("resolved_by", null=True),
    sqlite_with_rowid=False,
)
# Few charges are open holds at any time, and these are all that is ever searched for.
_partial("charges_open", charges.c.incarnation, where="state IN ('held', 'unresolved')")
_partial("charges_due", charges.c.until, where="until IS NOT NULL AND state IN ('held', 'unresolved')")

estimates = Table(
    "estimates",
    metadata,
    Column("charge_id", _TEXT, ForeignKey("charges.id"), nullable=False, primary_key=True),
    _text("reference", null=True),
    _int("amount"),
    _int("at"),
    _int("adjusted", null=True),
    _int("adjusted_at", null=True),
)
_partial("estimates_reference", estimates.c.reference, where="reference IS NOT NULL")

asks = Table(
    "asks",
    metadata,
    _text("scope", primary_key=True),
    _text("key", primary_key=True),
    _text("digest"),
    _int("at"),
    _int("expires_at", null=True),
    _text("notebook_id", null=True),
    _text("charge_id", null=True),
    _flag("cancelled"),
    _text("answer"),
    sqlite_with_rowid=False,
)
Index("asks_at", asks.c.at)

configurations = Table(
    "configurations",
    metadata,
    _text("owner", primary_key=True),
    _text("root", primary_key=True),
    _text("envelopes"),
)

memberships = Table(
    "memberships",
    metadata,
    _text("owner", primary_key=True),
    _text("ceilings"),
)

ceilings = Table(
    "ceilings",
    metadata,
    _text("kind", primary_key=True),
    _text("subject", primary_key=True),
    _text("name", primary_key=True),
    _text("envelopes"),
)

corrections = Table(
    "corrections",
    metadata,
    _text("id", primary_key=True),
    _reference("charge_id", "charges"),
    _int("amount"),
    _text("reason"),
    _int("at"),
    _text("by"),
)
Index("corrections_charge", corrections.c.charge_id)

approvals = Table(
    "approvals",
    metadata,
    _text("id", primary_key=True),
    _reference("session_id", "sessions"),
    _text("status"),
    _text("digest"),
    _text("shown", null=True),
    _text("tool"),
    _text("agent_id", null=True),
    _int("amount"),
    _text("scope"),
    _text("incarnation"),
    _int("asked_at"),
    _int("until", null=True),
    _int("decided_at", null=True),
    _text("decided_by", null=True),
)
_partial("approvals_pending", approvals.c.until, where="status = 'pending'")

reports = Table(
    "reports",
    metadata,
    _text("id", primary_key=True),
    _reference("session_id", "sessions"),
    _text("tool"),
    _text("agent_id", null=True),
    _text("charge_id", null=True),
    _text("shown", null=True),
    _int("at"),
    _int("acknowledged_at", null=True),
    _text("acknowledged_by", null=True),
)
_partial("reports_unseen", reports.c.session_id, where="acknowledged_at IS NULL")

trust = Table(
    "trust",
    metadata,
    _text("realm", primary_key=True),
    _text("agent_id", primary_key=True),
    _text("scope", primary_key=True),
    Column("level", SmallInteger),
    _text("assigned_by", null=True),
    _int("assigned_at"),
    _int("touched_at"),
)

consents = Table(
    "consents",
    metadata,
    _text("realm", primary_key=True),
    _text("agent_id", primary_key=True),
    _text("data_type", primary_key=True),
    _text("purpose", primary_key=True),
    _text("granted_by"),
    _int("granted_at"),
    _int("expires_at", null=True),
    _flag("revoked"),
)

audit = Table(
    "audit",
    metadata,
    _text("chain", primary_key=True),
    _int("seq", primary_key=True),
    _text("record_id"),
    _int("at"),
    _text("event"),
    _text("outcome"),
    _text("actor"),
    _text("notebook"),
    _text("notebook_id"),
    _text("code", null=True),
    _text("reasons"),
    _text("agent_id", null=True),
    _text("tool", null=True),
    _text("action_type", null=True),
    _text("resource", null=True),
    _text("cell_id", null=True),
    _int("execution_count", null=True),
    _int("amount"),
    _int("spent_delta"),
    _int("held_delta"),
    _text("charge_id", null=True),
    _text("detail"),
    _text("previous_hash"),
    _text("hash"),
)
# Each index of the audit records serves one filter in the order of pages, which is that of time. Those on values that
# most records lack leave these out, so that a record costs no more than it needs to.
Index("audit_at", audit.c.at)
Index("audit_event", audit.c.event, audit.c.at)
Index("audit_notebook", audit.c.notebook_id, audit.c.at)
for _name, _where, _more in (
    # These hold all that sums by agent and by tool need.
    ("agent_id", "agent_id IS NOT NULL", (audit.c.spent_delta,)),
    ("tool", "tool IS NOT NULL", (audit.c.spent_delta,)),
    ("action_type", "action_type IS NOT NULL", ()),
    ("resource", "resource IS NOT NULL", ()),
    ("outcome", "outcome <> 'allow'", (audit.c.tool, audit.c.agent_id, audit.c.spent_delta)),
):
    _partial(f"audit_{_name}", audit.c[_name], audit.c.at, *_more, where=_where)

tables: Final = {table.name: table for table in metadata.sorted_tables}
