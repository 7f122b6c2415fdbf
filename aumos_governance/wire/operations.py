"""The operations that a kernel can request of its server, each with the fields of its request and its response.

From this table come the functions with which kernels write requests and read responses, and with which servers read
requests and write responses. The module `protocol` describes what the fields mean.
"""

from __future__ import annotations

from typing import Final

from ..types import GovernanceOutcome
from .operation import (
    KEYED,
    OF_NOTEBOOK,
    WITHIN,
    Operation,
    amount,
    each,
    flag,
    level,
    members,
    microseconds,
    required_text,
    response,
    text,
    true_flag,
    whole,
    write_only,
)
from .shapes import ABSENT, Field, Shape

OPERATIONS: Final[dict[str, Operation]] = {}
CHARGING: Final[set[str]] = set()
"""The names of the operations that charge or hold an amount (see `Operation.charges`)."""
ENDING: Final[set[str]] = set()
"""The names of the operations that settle, release or void a charge (see `Operation.ends`)."""
STANDING: Final[set[str]] = set()
"""The names of the operations that cannot be undone (see `Operation.stands`)."""


def add(*operations: Operation) -> None:
    """Add operations to `OPERATIONS`, which lists all that kernels and servers know.

    Raises ValueError if there is an operation of the same name already.
    """
    for operation in operations:
        if operation.name in OPERATIONS:
            raise ValueError(f"There is an operation {operation.name} already.")
        OPERATIONS[operation.name] = operation
        for applies, names in ((operation.charges, CHARGING), (operation.ends, ENDING), (operation.stands, STANDING)):
            if applies:
                names.add(operation.name)


def _action_fields(default_level: str) -> tuple[Field, ...]:
    """Return the declarations of the fields that describe an action and its agent, for several operations.

    ``default_level`` is the name of the trust level that the action requires if the request states none.
    """
    return (
        level("required_level", default_level),
        *(text(name)._replace(takes="") for name in ("scope", "data_type", "purpose")),
        text("category"),
        text("tool", default="unknown"),
        text("agent_id", "agent id"),
        text("action_type"),
        text("resource"),
        members("detail"),
    )


# With `Checks`, a category without a budget is denied and recorded. Without any of the three fields, `Checks` would
# change nothing.
_CHECKS: Final = {
    "checks": "None if scope_ is None and category_ is None and data_type_ is None"
    " else Checks(realm=None, scope=scope_, default_level=TrustLevel.L5_AUTONOMOUS, data_type=data_type_,"
    " purpose=purpose_)"
}
_OUTCOMES: Final = f"one of {', '.join(outcome.value for outcome in GovernanceOutcome)}"
_OUTCOME: Final = f"choice(body, 'outcome', GovernanceOutcome, {_OUTCOMES!r})"
_REALM: Final = {"realm": "None"}
_TIGHTEN: Final = {"tighten_only": "terms.strict"}
"""An argument of ledger requests that change a level or budget: on a strict server, a kernel may only lower them."""
_STATE: Final = write_only("state", "None if {} is None else STATE.write({}, shared_with)", "state")
_DECISION: Final = whole("decision", "DECISION")

_HELD: Final = write_only("hold_id", "{}.charge_id if {}.allowed else None")
"""The field ``hold_id`` of a response: the id of the hold, or null if the hold was denied."""
_PREVIOUS: Final = "None if {}.previous is None else PREVIOUS.write({}.previous)"

# ---- parts of requests that the service reads separately

REFUSED: Final = Shape("dict", required_text("code"), required_text("reason"), text("tool"), checked=True)
"""The object in the field ``refused`` of an ``evaluate`` request: a denial that the kernel itself has decided."""
REPORTED: Final = Shape("dict", required_text("report_id", "report's id"), required_text("result"))
"""The two fields of a ``settle`` or ``release`` request that add to a report how its action ended."""
_REPORTED: Final = tuple(Field(name, read=None, kept=False) for name in ("report_id", "result"))
"""The fields ``report_id`` and ``result`` in the declarations of ``settle`` and ``release``. They are optional, and not
for the ledger: the service reads them with `REPORTED`."""

_AT_LIMIT: Final = Field("at_limit", read=None, kept=False)
"""The field with what to do with a call that only a limit on money forbids: ``ask`` the user, or ``deny``. It is not
for the ledger: the service reads it."""

_WAITS_TURN: Final = Field("waits_turn", read=None, kept=False)
"""The field with how many seconds a hold may wait if only other pending holds make it exceed a limit. It is not for the
ledger: the service reads it."""


def _bound(name: str) -> Field:
    """Return the declaration of an optional field with a bound, in USD, for the amount that a hold is granted."""
    return Field(name, "to_text({})", f"None if body.get({name!r}) is None else parse(body[{name!r}])", omitted=ABSENT)


# ---- the operations

add(
    Operation(
        "hello",
        Shape("dict", Field("version", read=None), Field("python", read=None), required_text("incarnation")),
        response(
            *(write_only(name, "{}", name) for name in ("version", "server_time", "notebook", "shared_with", "strict")),
            write_only("default_trust_level", "int({})", "default_trust_level"),
            write_only("default_budget", "to_text({})", "default_budget"),
            write_only("socket", "{}", "socket"),
        ),
    ),
    Operation(
        "open",
        Shape(
            "OpenSession",
            level("trust_level"),
            Field("budget", "to_text({})", "optional_budget(body)", omitted=ABSENT),
            text("agent_id", "agent id"),
            flag("new"),
            given=WITHIN,
            checked=True,
        ),
        response(
            write_only("state", "STATE.write({}, shared_with)", "state"),
            write_only("opened", "{}", "opened"),
            write_only("resumed", "not {}.opened and not {}.changed"),
            write_only("previous", _PREVIOUS, "state"),
            write_only("notes", "list({})", "notes"),
        ),
        stands=True,
    ),
    Operation(
        "status",
        response=response(write_only("state", "STATE.write({}, shared_with)"), write_only("previous", _PREVIOUS)),
        reads=True,
    ),
    # The server only keeps the request's cell, so that calls through the gateway are recorded with it.
    Operation("cell"),
    Operation(
        "close",
        Shape("CloseSession", given=WITHIN),
        response(write_only("state", "STATE.write({}, shared_with)")),
        stands=True,
    ),
    Operation(
        "spend",
        Shape(
            "Spend",
            amount("A spend", "0.05", "positive"),
            text("tool", default="unknown"),
            flag("already_paid"),
            text("category"),
            text("agent_id", "agent id"),
            text("note"),
            _AT_LIMIT,
            given=OF_NOTEBOOK,
            checked=True,
        ),
        response(_DECISION, _STATE),
        charges=True,
    ),
    Operation(
        "hold",
        Shape(
            "Hold",
            amount("A hold"),
            Field("kind", "{}.value", "choice(body, 'kind', ActionKind, 'call or act') or ActionKind.CALL"),
            Field("until", "{} / 1e6", 'moment(body, "until", "A hold\'s until")', omitted=ABSENT),
            _bound("least"),
            _bound("most"),
            *_action_fields("L1_MONITOR"),
            _AT_LIMIT,
            _WAITS_TURN,
            derived=_CHECKS,
            given=OF_NOTEBOOK,
            checked=True,
        ),
        response(_DECISION, _HELD, _STATE),
        charges=True,
    ),
    Operation(
        "settle",
        Shape(
            "Settle",
            required_text("hold_id", "hold's id"),
            amount("A settlement"),
            flag("estimated"),
            text("reference"),
            members("usage"),
            members("source"),
            *_REPORTED,
            given=KEYED,
            checked=True,
        ),
        response(whole("resolution", "RESOLUTION"), _STATE),
        ends=True,
    ),
    Operation(
        "release",
        Shape("Release", required_text("hold_id", "hold's id"), *_REPORTED, given=KEYED, checked=True),
        response(whole("resolution", "RESOLUTION"), _STATE),
        ends=True,
    ),
    Operation(
        "adjust",
        Shape(
            "Adjust",
            text("hold_id", "hold's id", of="charge_id"),
            text("reference"),
            amount("An adjustment"),
            given=OF_NOTEBOOK,
            checked=True,
        ),
        response(whole("adjustment", "ADJUSTMENT"), _STATE),
        ends=True,
    ),
    Operation(
        "authorize",
        Shape(
            "dict",
            *(Field(name, read=f"body.get({name!r})") for name in ("shown", "timeout", "at_limit")),
            amount("A governed action"),
            *_action_fields("L3_ACT_APPROVE"),
            true_flag("wait"),
            derived=_CHECKS,
            checked=True,
        ),
        # The ledger's decision has no report id; the service adds it.
        response(_DECISION, _HELD, write_only("report_id", "None"), _STATE),
        charges=True,
    ),
    Operation(
        "evaluate",
        Shape(
            "Evaluate",
            text("agent_id", "agent id", default=""),
            level("required_level"),
            text("scope"),
            text("category"),
            Field(
                "amount", "to_text({})", "None if body.get('amount') is None else parse(body['amount'])", omitted=ABSENT
            ),
            *(text(name) for name in ("action_type", "resource", "data_type", "purpose")),
            members("detail"),
            Field("refused", read=None, kept=False),
            given={**OF_NOTEBOOK, **_REALM, "default_level": "TrustLevel.L5_AUTONOMOUS"},
            checked=True,
        ),
        response(_DECISION),
    ),
    Operation(
        "cancel",
        Shape(
            "Void",
            required_text("of", "id of the request to cancel"),
            flag("act")._replace(takes="", kept=False),
            flag("delivered"),
            given=OF_NOTEBOOK,
            checked=True,
        ),
        response(
            write_only("voided", "{}", "voided"),
            write_only("found", "None if {} is None else {}.value", "found"),
            write_only("state", "None if it.voided or {} is None else STATE.write({}, shared_with)", "state"),
        ),
        ends=True,
    ),
    Operation(
        "trust",
        Shape(
            "dict",
            required_text("agent_id", "agent id"),
            text("scope"),
            text("assigned_by"),
            Field("level", "int({})", "optional_level(body, 'level')"),
            given={**OF_NOTEBOOK, **_REALM, **_TIGHTEN},
            checked=True,
        ),
        response(
            write_only("level", "None if isinstance({}, bool) else int({}.level)"), write_only("removed", "{} is True")
        ),
    ),
    Operation(
        "budget",
        Shape(
            "SetBudget",
            Field(
                "limit",
                "to_text({})",
                "budget(body, 'limit', 'A budget needs a limit in US dollars, for example 5.')",
                "ceiling",
                "ceiling",
            ),
            Field("period", "{}.value", "period(body)"),
            required_text("category"),
            true_flag("create"),
            given={**OF_NOTEBOOK, **_TIGHTEN},
            checked=True,
        ),
        response(
            whole("budget", "BUDGET"), write_only("created", "{}", "created"), write_only("changed", "{}", "changed")
        ),
    ),
    Operation(
        "consent",
        Shape(
            "dict",
            required_text("agent_id", "agent id"),
            text("purpose"),
            text("granted_by"),
            text("data_type"),
            microseconds("until"),
            given={**OF_NOTEBOOK, **_REALM},
            checked=True,
        ),
        response(
            Field(
                "consent",
                "None if isinstance({}, int) else CONSENT.write({})",
                "None if {} is None else CONSENT.read({})",
                "",
            ),
            write_only("revoked", "{} if isinstance({}, int) else 0"),
        ),
    ),
    Operation(
        "agents",
        Shape("dict", checked=True),
        response(
            write_only("session_level", "None if {} is None else int({})", "session_level"),
            each("agents", "ASSIGNMENT", "agents"),
        ),
        reads=True,
    ),
    Operation(
        "budgets",
        Shape("ListBudgets", text("category"), given={"notebook": "notebook"}, checked=True),
        response(each("budgets", "BUDGET")),
        reads=True,
    ),
    Operation(
        "consents",
        Shape("dict", text("agent_id", "agent id"), text("data_type"), text("purpose"), checked=True),
        response(each("consents", "CONSENT")),
        reads=True,
    ),
    Operation(
        "audit",
        Shape(
            "AuditQuery",
            Field("outcome", "GovernanceOutcome({}).value", _OUTCOME, omitted=ABSENT),
            microseconds("since"),
            microseconds("until"),
            flag("decisions"),
            *(text(name) for name in ("agent_id", "event", "tool", "action_type", "resource")),
            flag("oldest_first"),
            Field("limit", "{}", "whole(body, 'limit', default=10, least=1, most=1_000)"),
            text("cursor"),
            flag("count")._replace(takes="", kept=False),
            given={"notebook": "notebook"},
            checked=True,
        ),
        response(each("records", "ENTRY", "records"), Field("cursor"), write_only("total", "None"), made="AuditPage"),
        reads=True,
    ),
)
