"""The JSON bodies of decisions, states, budgets and other objects of the ledger, each declared by one `Shape`.

A server writes a body from the object with ``SHAPE.write``, and a kernel makes the object of a body with
``SHAPE.read``. Browsers and scripts get the same bodies from the REST interface.
"""

from __future__ import annotations

from typing import Final

from .shapes import Field, Shape


def _usd(name: str, of: str | None = None) -> Field:
    return Field(name, "to_text({})", "parse({})", of)


def _signed_usd(name: str) -> Field:
    return Field(name, "to_text({})", "signed({})")


def _level(name: str, *, late: bool = False) -> Field:
    return Field(name, "None if {} is None else int({})", "None if {} is None else TrustLevel({})", late=late)


def _write_only(name: str, of: str, write: str = "{}") -> Field:
    """Return a field of a body that the server writes, and that kernels do not read.

    ``of`` is the attribute of the object that has the value; ``write`` is as in `Field`.
    """
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
    # A limit on trust levels has whole numbers, a limit on money decimal text in USD.
    *(
        Field(
            name,
            "{} if it.kind in TRUST_LIMITS else to_text({})",
            "int({}) if body['kind'] in TRUST_LIMITS else parse({})",
        )
        for name in ("asked", "allowed")
    ),
)
"""The body of a `Limit`: the limit that forbids an action."""

DECISION: Final = Shape(
    "Decision",
    _OUTCOME,
    _write_only("allowed", "allowed"),
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
    _write_only("path", "notebook.path"),
    _write_only("active", "active"),
    _write_only("session_id", "session_id"),
    _write_only("trust_level", "trust_level", "None if {} is None else int({})"),
    _write_only("trust_label", "trust_level", "None if {} is None else LABELS[{}]"),
    _write_only("budget", "balance", _OF_BALANCE % "limit"),
    *(_write_only(name, "balance", _OF_BALANCE % name) for name in ("spent", "held", "remaining", "over")),
    _write_only("agent_id", "agent_id"),
    _write_only(
        "set_by", "", "{}.trust_set_by if {}.trust_by_person and not {}.budget_by_person else {}.budget_set_by"
    ),
    _write_only("shared_with", "", "shared_with"),
    _write_only("seq", "seq"),
)
"""The body of ``GET state``. All figures are null for a notebook that was never governed.

``set_by`` is the user who set the budget, or else the user who set the trust level; if no user has set either, it is
``"kernel"`` or ``"server"``.

``seq`` rises whenever a hold, an approval request or a report begins or ends. So every page is notified, and reads the
lists of holds, approval requests and reports again. The lengths of these lists are not in the body, since counting
would cost each decision a query.
"""

PREVIOUS: Final = Shape(
    "",
    _write_only("sessions", "sessions"),
    _write_only("spent", "spent", "to_text({})"),
    _write_only("budget", "budget", "to_text({})"),
    _write_only("closed_at", "closed_at", "time_text({})"),
)
"""The body of a notebook's closed sessions: their number, what they spent together, and the last one's budget and time
of closing."""

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
"""The body of the response to a settlement or release of a hold: ``outcome`` is ``settled`` or ``released``."""

ADJUSTMENT: Final = Shape(
    "Adjusted",
    Field("hold_id", of="charge_id", takes="charge_id"),
    _usd("estimate"),
    _usd("spent"),
    _true("overrun"),
    Field("record_id"),
)
"""The body of the response to an adjustment, which replaces an estimated charge with the true cost."""

BUDGET: Final = Shape(
    "BudgetState",
    Field("category"),
    Field("period", "{}.value", "BudgetPeriod({})"),
    _PERIOD_START,
    *_FIGURES,
    Field("charges"),
    derived={"balance": "Balance(parse(body['limit']), parse(body['spent']), parse(body['held']))"},
)
"""The body of a category's budget, with the figures of its current period; ``period_start`` is null for a lifetime
budget."""

ENVELOPE: Final = Shape(
    "", Field("name"), Field("kind"), Field("period", "{}.value"), _PERIOD_START, *_FIGURES, Field("charges")
)
"""The body of a ceiling around a session, with the figures of its current period; ``period_start`` is null for a
lifetime ceiling."""

ASSIGNMENT: Final = Shape(
    "TrustAssignment",
    Field("agent_id"),
    Field("scope"),
    Field("level", "int({})", "TrustLevel({})"),
    Field("assigned_by"),
    _time("assigned_at"),
    derived={"touched_at": "assigned_at_"},
)
"""The body of a trust level that was set for an agent."""

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
    # Records of events that are not decisions have no outcome.
    Field("outcome", "None if {} is None else {}.value", "None if {} is None else OUTCOMES[{}]"),
    Field("code"),
    _REASONS,
    Field("actor"),
    Field("notebook"),
    Field("agent_id"),
    Field("tool"),
    Field("action_type"),
    Field("resource"),
    _write_only("cell", "", "{'id': it.cell_id, 'count': it.execution_count}"),
    _usd("amount"),
    _signed_usd("spent_delta"),
    _signed_usd("held_delta"),
    Field("charge_id"),
    Field("detail", "dict({})"),
    Field("previous_hash"),
    Field("hash"),
    derived={"cell_id": "body['cell']['id']", "execution_count": "body['cell']['count']"},
)
"""The body of an audit record."""
