"""The operations of the wire protocol: of each the fields of its request and of its response, and what it is.

By this table a kernel makes a request and reads its response, and a server reads the request and makes the response.
`protocol` says what the fields mean.
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
    given,
    level,
    members,
    microseconds,
    needed,
    on,
    response,
    text,
    whole,
)
from .shapes import ABSENT, Field, Shape

__all__ = ["CHARGING", "ENDING", "OPERATIONS", "REFUSED", "REPORTED", "STANDING", "add"]

OPERATIONS: Final[dict[str, Operation]] = {}
CHARGING: Final[set[str]] = set()
"""The names of those that charge."""
ENDING: Final[set[str]] = set()
"""The names of those that end a charge."""
STANDING: Final[set[str]] = set()
"""The names of those that stand once executed."""


def add(*operations: Operation) -> None:
    """Have these known to whatever reads or sends a request. Raises ValueError for a name that is taken."""
    for operation in operations:
        if operation.name in OPERATIONS:
            raise ValueError(f"There is an operation {operation.name} already.")
        OPERATIONS[operation.name] = operation
        for holds, names in ((operation.charges, CHARGING), (operation.ends, ENDING), (operation.stands, STANDING)):
            if holds:
                names.add(operation.name)


def _about(least: str) -> tuple[Field, ...]:
    """What a charge is for and who makes it; ``least`` is the level it needs where it names none."""
    return (
        level("required_level", least),
        *(text(name)._replace(takes="") for name in ("scope", "data_type", "purpose")),
        text("category"),
        text("tool", default="unknown"),
        text("agent_id", "agent id"),
        text("action_type"),
        text("resource"),
        members("detail"),
    )


# With these a category that has no budget is a denial on record, and without one they would change nothing.
_CHECKS: Final = {
    "checks": "None if scope_ is None and category_ is None and data_type_ is None"
    " else Checks(realm=None, scope=scope_, default_level=TrustLevel.L5_AUTONOMOUS, data_type=data_type_,"
    " purpose=purpose_)"
}
_OUTCOMES: Final = f"one of {', '.join(outcome.value for outcome in GovernanceOutcome)}"
_OUTCOME: Final = f"choice(body, 'outcome', GovernanceOutcome, {_OUTCOMES!r})"
_REALM: Final = {"realm": "None"}
_TIGHTEN: Final = {"tighten_only": "terms.strict"}
"""As for the session's own level: a strict server lets a notebook only tighten it."""
_STATE: Final = given("state", "None if {} is None else STATE.write({}, shared_with)", "state")
_DECISION: Final = whole("decision", "DECISION")

_HELD: Final = given("hold_id", "{}.charge_id if {}.allowed else None")
"""A denied hold has no id."""
_PREVIOUS: Final = "None if {}.previous is None else PREVIOUS.write({}.previous)"

# ---- parts of requests that are read by themselves

REFUSED: Final = Shape("dict", needed("code"), needed("reason"), text("tool"), checked=True)
"""What of an ``evaluate`` the kernel's own side refuses."""
REPORTED: Final = Shape("dict", needed("report_id", "report's id"), needed("result"))
"""How an action ended, which a ``settle`` or ``release`` may name along."""
_REPORTED: Final = tuple(Field(name, read=None, kept=False) for name in ("report_id", "result"))
"""Read as `REPORTED`, where they are given."""

_AT_LIMIT: Final = Field("at_limit", read=None, kept=False)
"""What becomes of a call that only a limit on money refuses: ``ask`` or ``deny``. The service reads it."""

_WAITS_TURN: Final = Field("waits_turn", read=None, kept=False)
"""For how many seconds a hold may wait for others to end, where only those are in its way. The service reads it."""


def _bound(name: str) -> Field:
    """A bound of what a hold is granted, in USD."""
    return Field(name, "to_text({})", f"None if body.get({name!r}) is None else parse(body[{name!r}])", omitted=ABSENT)


# ---- the operations

add(
    Operation(
        "hello",
        Shape("dict", Field("version", read=None), Field("python", read=None), needed("incarnation")),
        response(
            *(given(name, "{}", name) for name in ("version", "server_time", "notebook", "shared_with", "strict")),
            given("default_trust_level", "int({})", "default_trust_level"),
            given("default_budget", "to_text({})", "default_budget"),
            given("socket", "{}", "socket"),
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
            given("state", "STATE.write({}, shared_with)", "state"),
            given("opened", "{}", "opened"),
            given("resumed", "not {}.opened and not {}.changed"),
            given("previous", _PREVIOUS, "state"),
            given("notes", "list({})", "notes"),
        ),
        stands=True,
    ),
    Operation(
        "status",
        response=response(given("state", "STATE.write({}, shared_with)"), given("previous", _PREVIOUS)),
        reads=True,
    ),
    # Only remembered, so that calls which do not come from the magics are recorded with their cell.
    Operation("cell"),
    Operation(
        "close",
        Shape("CloseSession", given=WITHIN),
        response(given("state", "STATE.write({}, shared_with)")),
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
            *_about("L1_MONITOR"),
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
            needed("hold_id", "hold's id"),
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
        Shape("Release", needed("hold_id", "hold's id"), *_REPORTED, given=KEYED, checked=True),
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
            *_about("L3_ACT_APPROVE"),
            on("wait"),
            derived=_CHECKS,
            checked=True,
        ),
        # The service adds the report's id, which the ledger's decision does not contain.
        response(_DECISION, _HELD, given("report_id", "None"), _STATE),
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
            needed("of", "id of the request to cancel"),
            flag("act")._replace(takes="", kept=False),
            flag("delivered"),
            given=OF_NOTEBOOK,
            checked=True,
        ),
        response(
            given("voided", "{}", "voided"),
            given("found", "None if {} is None else {}.value", "found"),
            given("state", "None if it.voided or {} is None else STATE.write({}, shared_with)", "state"),
        ),
        ends=True,
    ),
    Operation(
        "trust",
        Shape(
            "dict",
            needed("agent_id", "agent id"),
            text("scope"),
            text("assigned_by"),
            Field("level", "int({})", "optional_level(body, 'level')"),
            given={**OF_NOTEBOOK, **_REALM, **_TIGHTEN},
            checked=True,
        ),
        response(given("level", "None if isinstance({}, bool) else int({}.level)"), given("removed", "{} is True")),
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
            needed("category"),
            on("create"),
            given={**OF_NOTEBOOK, **_TIGHTEN},
            checked=True,
        ),
        response(whole("budget", "BUDGET"), given("created", "{}", "created"), given("changed", "{}", "changed")),
    ),
    Operation(
        "consent",
        Shape(
            "dict",
            needed("agent_id", "agent id"),
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
            given("revoked", "{} if isinstance({}, int) else 0"),
        ),
    ),
    Operation(
        "agents",
        Shape("dict", checked=True),
        response(
            given("session_level", "None if {} is None else int({})", "session_level"),
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
        response(each("records", "ENTRY", "records"), Field("cursor"), given("total", "None"), made="AuditPage"),
        reads=True,
    ),
)
