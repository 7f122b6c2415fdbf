"""The bodies of what the ledger records: one table for each, by which servers make it and kernels read it back.

Browsers and scripts read the same bodies from the REST interface.
"""

from __future__ import annotations

from typing import Final

from .shapes import Field, Shape

__all__ = [
    "ADJUSTMENT",
    "ASSIGNMENT",
    "BUDGET",
    "CONSENT",
    "DECISION",
    "ENTRY",
    "LIMIT",
    "PREVIOUS",
    "RESOLUTION",
    "STATE",
]


def _usd(name: str, of: str | None = None) -> Field:
    return Field(name, "to_text({})", "parse({})", of)


def _signed_usd(name: str) -> Field:
    return Field(name, "to_text({})", "signed({})")


def _level(name: str, *, late: bool = False) -> Field:
    return Field(name, "None if {} is None else int({})", "None if {} is None else TrustLevel({})", late=late)


def _value(name: str, of: str, write: str = "{}") -> Field:
    """What a kernel's engine does not read back."""
    return Field(name, write, None, of)


def _true(name: str) -> Field:
    return Field(name, "{}", "{} is True")


def _time(name: str) -> Field:
    return Field(name, "time_text({})", "time_micros({})")


_REASONS: Final = Field("reasons", "list({})", "tuple({})")
_OUTCOME: Final = Field("outcome", "{}.value", "OUTCOMES[{}]")
_PERIOD_START: Final = Field("period_start", "time_text({}) if {} else None", "0 if {} is None else time_micros({})")
_FIGURES: Final = tuple(
    Field(name, "to_text({})", None, f"balance.{name}") for name in ("limit", "spent", "held", "remaining", "over")
)
_OF_BALANCE: Final = "None if {} is None else to_text({}.%s)"

LIMIT: Final = Shape(
    "Limit",
    Field("kind", "{}", "str({})"),
    Field("name", "{}", "str({})"),
    # Whole numbers of a trust level, decimal text in USD of money.
    *(
        Field(
            name,
            "{} if it.kind in TRUST_LIMITS else to_text({})",
            "int({}) if body['kind'] in TRUST_LIMITS else parse({})",
        )
        for name in ("asked", "allowed")
    ),
)
"""Which limit forbids an action."""

DECISION: Final = Shape(
    "Decision",
    _OUTCOME,
    _value("allowed", "allowed"),
    Field("code"),
    _REASONS,
    Field("record_id"),
    Field("charge_id"),
    _usd("amount"),
    Field("tool"),
    _true("overrun"),
    _level("level", late=True),
    Field("limit", "None if {} is None else LIMIT.write({})", "None if {} is None else LIMIT.read({})", late=True),
    names={"LIMIT": LIMIT},
)

STATE: Final = Shape(
    "",
    _value("path", "notebook.path"),
    _value("active", "active"),
    _value("session_id", "session_id"),
    _value("trust_level", "trust_level", "None if {} is None else int({})"),
    _value("trust_label", "trust_level", "None if {} is None else LABELS[{}]"),
    _value("budget", "balance", _OF_BALANCE % "limit"),
    *(_value(name, "balance", _OF_BALANCE % name) for name in ("spent", "held", "remaining", "over")),
    _value("agent_id", "agent_id"),
    _value("set_by", "", "{}.trust_set_by if {}.trust_by_person and not {}.budget_by_person else {}.budget_set_by"),
    _value("shared_with", "", "shared_with"),
    _value("seq", "seq"),
)
"""The body of ``GET state``; all figures are null for a notebook that was never governed.

``set_by`` is the user who set the budget or else the trust level, and ``"kernel"`` or ``"server"`` where no user has
set either.

A hold, an approval or a report that comes or goes raises ``seq`` and so reaches every page, which then reads its list
again. How many wait is not in it: to count them would cost every single decision a query.
"""

PREVIOUS: Final = Shape(
    "",
    _value("sessions", "sessions"),
    _value("spent", "spent", "to_text({})"),
    _value("budget", "budget", "to_text({})"),
    _value("closed_at", "closed_at", "time_text({})"),
)
"""What the notebook's sessions before this one spent."""

RESOLUTION: Final = Shape(
    "Resolved",
    Field("hold_id", of="charge_id", takes="charge_id"),
    Field("outcome", "{}.value", "CHARGE_STATES[{}]"),
    _usd("held"),
    _usd("spent"),
    _true("overrun"),
    _true("estimated"),
    Field("record_id"),
)
"""How a hold was resolved: ``outcome`` is ``settled`` or ``released``."""

ADJUSTMENT: Final = Shape(
    "Adjusted",
    Field("hold_id", of="charge_id", takes="charge_id"),
    _usd("estimate"),
    _usd("spent"),
    _true("overrun"),
    Field("record_id"),
)
"""How an estimated charge was adjusted."""

BUDGET: Final = Shape(
    "BudgetState",
    Field("category"),
    Field("period", "{}.value", "BudgetPeriod({})"),
    _PERIOD_START,
    *_FIGURES,
    Field("charges"),
    derived={"balance": "Balance(parse(body['limit']), parse(body['spent']), parse(body['held']))"},
)
"""A category's figures in its current period; ``period_start`` is null where it has no period."""

ASSIGNMENT: Final = Shape(
    "TrustAssignment",
    Field("agent_id"),
    Field("scope"),
    Field("level", "int({})", "TrustLevel({})"),
    Field("assigned_by"),
    _time("assigned_at"),
    derived={"touched_at": "assigned_at_"},
)
"""The level that an agent was given."""

CONSENT: Final = Shape(
    "Consent",
    Field("agent_id"),
    Field("data_type"),
    Field("purpose"),
    Field("granted_by"),
    _time("granted_at"),
    Field("expires_at", "None if {} is None else time_text({})", "None if {} is None else time_micros({})"),
)

ENTRY: Final = Shape(
    "AuditEntry",
    Field("record_id"),
    Field("chain"),
    Field("seq"),
    _time("at"),
    Field("event"),
    # None of what is no decision.
    Field("outcome", "None if {} is None else {}.value", "None if {} is None else OUTCOMES[{}]"),
    Field("code"),
    _REASONS,
    Field("actor"),
    Field("notebook"),
    Field("agent_id"),
    Field("tool"),
    Field("action_type"),
    Field("resource"),
    _value("cell", "", "{'id': it.cell_id, 'count': it.execution_count}"),
    _usd("amount"),
    _signed_usd("spent_delta"),
    _signed_usd("held_delta"),
    Field("charge_id"),
    Field("detail", "dict({})"),
    Field("previous_hash"),
    Field("hash"),
    derived={"cell_id": "body['cell']['id']", "execution_count": "body['cell']['count']"},
)
"""An audit record."""
