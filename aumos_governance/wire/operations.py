"""The operations of the wire protocol: of each the fields of its request and of its response, and what it is.

By these tables a kernel makes a request and reads its response, and a server reads the request and makes the response.
`protocol` says what the fields mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from ..types import GovernanceOutcome
from .bodies import ADJUSTMENT, ASSIGNMENT, BUDGET, CONSENT, DECISION, ENTRY, PREVIOUS, RESOLUTION, STATE
from .shapes import ABSENT, EMPTY, Field, Shape

__all__ = [
    "CHARGING",
    "ENDING",
    "OPERATIONS",
    "REFUSED",
    "REPORTED",
    "STANDING",
    "Operation",
    "add",
]

_NOTHING: Final = Shape("")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, by its name on the wire as ``op``."""

    name: str
    request: Shape = field(default=_NOTHING)
    """Of what the ledger is requested, or of a ``dict`` of values from which the service makes that."""
    response: Shape = field(default=_NOTHING)
    """Of what the ledger gives back; read, it is that again as far as the wire carries it."""
    reads: bool = False
    """It reads what is committed, and changes nothing."""
    charges: bool = False
    """It is undone where its response was not handed over."""
    ends: bool = False
    """It ends a charge or takes one back: what it names is over, so it is let through and never undone."""
    stands: bool = False
    """Once executed it stands, and is only prevented before that."""


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


# ---- the fields of requests


def _text(name: str, what: str = "", *, of: str | None = None, default: str | None = None) -> Field:
    """Text that may be left out; ``what`` is how a refusal names it."""
    read = f"optional_text(body, {name!r}, {what or name!r})"
    return Field(name, "{}", read if default is None else f"{read} or {default!r}", of, of, ABSENT)


def _needed(name: str, what: str = "") -> Field:
    return Field(name, "{}", f"text(body, {name!r}, {what or name!r})")


def _amount(what: str, example: str = "0.05; 0 is one", read: str = "amount") -> Field:
    without = f"{what} needs an amount in US dollars, for example {example}."
    return Field("amount", "to_text({})", f"{read}(body, 'amount', {without!r})")


def _flag(name: str) -> Field:
    return Field(name, "{}", f"flag(body, {name!r})", omitted=EMPTY)


def _on(name: str) -> Field:
    """A boolean that defaults to true."""
    return Field(name, "{}", f"body.get({name!r}) is None or flag(body, {name!r})")


def _level(name: str, default: str | None = None) -> Field:
    read = f"optional_level(body, {name!r})"
    if default is not None:
        read = f"TrustLevel.{default} if body.get({name!r}) is None else {read}"
    return Field(name, "int({})", read, omitted=ABSENT)


def _object(name: str) -> Field:
    return Field(name, "{}", f"members(body, {name!r})", omitted=EMPTY)


def _micros(name: str) -> Field:
    return Field(name, "{}", f"microseconds(body, {name!r})", omitted=ABSENT)


def _about(least: str) -> tuple[Field, ...]:
    """What a charge is for and who makes it; ``least`` is the level it needs where it names none."""
    return (
        _level("required_level", least),
        *(replace(_text(name), takes="") for name in ("scope", "data_type", "purpose")),
        _text("category"),
        _text("tool", default="unknown"),
        _text("agent_id", "agent id"),
        _text("action_type"),
        _text("resource"),
        _object("detail"),
    )


# With these a category that has no budget is a denial on record, and without one they would change nothing.
_CHECKS: Final = {
    "checks": "None if scope_ is None and category_ is None and data_type_ is None"
    " else Checks(realm=None, scope=scope_, default_level=TrustLevel.L5_AUTONOMOUS, data_type=data_type_,"
    " purpose=purpose_)"
}
_OUTCOMES: Final = f"one of {', '.join(outcome.value for outcome in GovernanceOutcome)}"
_OUTCOME: Final = f"choice(body, 'outcome', GovernanceOutcome, {_OUTCOMES!r})"
_KEYED: Final = {"key": "key", "origin": "origin", "expires_at": "expires_at"}
_OF_NOTEBOOK: Final = {**_KEYED, "notebook": "notebook"}
_WITHIN: Final = {**_OF_NOTEBOOK, "terms": "terms"}
_REALM: Final = {"realm": "None"}
_TIGHTEN: Final = {"tighten_only": "terms.strict"}
"""As for the session's own level: a strict server lets a notebook only tighten it."""

# ---- the fields of responses


def _given(name: str, write: str, of: str = "") -> Field:
    """What a kernel's engine does not read back."""
    return Field(name, write, None, of)


_NAMES: Final = {
    "ADJUSTMENT": ADJUSTMENT,
    "ASSIGNMENT": ASSIGNMENT,
    "BUDGET": BUDGET,
    "CONSENT": CONSENT,
    "DECISION": DECISION,
    "ENTRY": ENTRY,
    "PREVIOUS": PREVIOUS,
    "RESOLUTION": RESOLUTION,
    "STATE": STATE,
}


def _response(*members: Field, made: str = "") -> Shape:
    return Shape(made, *members, names=_NAMES)


def _whole(name: str, shape: str) -> Field:
    return Field(name, f"{shape}.write({{}})", f"{shape}.read({{}})", "")


def _each(name: str, shape: str, of: str = "") -> Field:
    return Field(name, f"[{shape}.write(each) for each in {{}}]", f"tuple([{shape}.read(each) for each in {{}}])", of)


_STATE: Final = _given("state", "None if {} is None else STATE.write({}, shared_with)", "state")
_DECISION: Final = _whole("decision", "DECISION")

_HELD: Final = _given("hold_id", "{}.charge_id if {}.allowed else None")
"""A denied hold has no id."""
_PREVIOUS: Final = "None if {}.previous is None else PREVIOUS.write({}.previous)"

# ---- parts of requests that are read by themselves

REFUSED: Final = Shape("dict", _needed("code"), _needed("reason"), _text("tool"), checked=True)
"""What of an ``evaluate`` the kernel's own side refuses."""
REPORTED: Final = Shape("dict", _needed("report_id", "report's id"), _needed("result"))
"""How an action ended, which a ``settle`` or ``release`` may name along."""
_REPORTED: Final = tuple(Field(name, read=None, kept=False) for name in ("report_id", "result"))
"""Read as `REPORTED`, where they are given."""

# ---- the operations

add(
    Operation(
        "hello",
        Shape("dict", Field("version", read=None), Field("python", read=None), _needed("incarnation")),
        _response(
            *(_given(name, "{}", name) for name in ("version", "server_time", "notebook", "shared_with", "strict")),
            _given("default_trust_level", "int({})", "default_trust_level"),
            _given("default_budget", "to_text({})", "default_budget"),
            _given("socket", "{}", "socket"),
        ),
    ),
    Operation(
        "open",
        Shape(
            "OpenSession",
            _level("trust_level"),
            Field("budget", "to_text({})", "optional_budget(body)", omitted=ABSENT),
            _text("agent_id", "agent id"),
            _flag("new"),
            given=_WITHIN,
            checked=True,
        ),
        _response(
            _given("state", "STATE.write({}, shared_with)", "state"),
            _given("opened", "{}", "opened"),
            _given("resumed", "not {}.opened and not {}.changed"),
            _given("previous", _PREVIOUS, "state"),
            _given("notes", "list({})", "notes"),
        ),
        stands=True,
    ),
    Operation(
        "status",
        response=_response(_given("state", "STATE.write({}, shared_with)"), _given("previous", _PREVIOUS)),
        reads=True,
    ),
    Operation(
        "close",
        Shape("CloseSession", given=_WITHIN),
        _response(_given("state", "STATE.write({}, shared_with)")),
        stands=True,
    ),
    Operation(
        "spend",
        Shape(
            "Spend",
            _amount("A spend", "0.05", "positive"),
            _text("tool", default="unknown"),
            _flag("already_paid"),
            _text("category"),
            _text("agent_id", "agent id"),
            _text("note"),
            given=_OF_NOTEBOOK,
            checked=True,
        ),
        _response(_DECISION, _STATE),
        charges=True,
    ),
    Operation(
        "hold",
        Shape(
            "Hold",
            _amount("A hold"),
            Field("kind", "{}.value", "choice(body, 'kind', ActionKind, 'call or act') or ActionKind.CALL"),
            Field("until", "{} / 1e6", 'moment(body, "until", "A hold\'s until")', omitted=ABSENT),
            *_about("L1_MONITOR"),
            derived=_CHECKS,
            given=_OF_NOTEBOOK,
            checked=True,
        ),
        _response(_DECISION, _HELD, _STATE),
        charges=True,
    ),
    Operation(
        "settle",
        Shape(
            "Settle",
            _needed("hold_id", "hold's id"),
            _amount("A settlement"),
            _flag("estimated"),
            _text("reference"),
            *_REPORTED,
            given=_KEYED,
            checked=True,
        ),
        _response(_whole("resolution", "RESOLUTION"), _STATE),
        ends=True,
    ),
    Operation(
        "release",
        Shape("Release", _needed("hold_id", "hold's id"), *_REPORTED, given=_KEYED, checked=True),
        _response(_whole("resolution", "RESOLUTION"), _STATE),
        ends=True,
    ),
    Operation(
        "adjust",
        Shape(
            "Adjust",
            _text("hold_id", "hold's id", of="charge_id"),
            _text("reference"),
            _amount("An adjustment"),
            given=_OF_NOTEBOOK,
            checked=True,
        ),
        _response(_whole("adjustment", "ADJUSTMENT"), _STATE),
        ends=True,
    ),
    Operation(
        "authorize",
        Shape(
            "dict",
            *(Field(name, read=f"body.get({name!r})") for name in ("shown", "timeout")),
            _amount("An act"),
            *_about("L3_ACT_APPROVE"),
            _on("wait"),
            derived=_CHECKS,
            checked=True,
        ),
        # What was reported is the service's to know, as the ledger's decision does not tell.
        _response(_DECISION, _HELD, _given("report_id", "None"), _STATE),
        charges=True,
    ),
    Operation(
        "evaluate",
        Shape(
            "Evaluate",
            _text("agent_id", "agent id", default=""),
            _level("required_level"),
            _text("scope"),
            _text("category"),
            Field(
                "amount", "to_text({})", "None if body.get('amount') is None else parse(body['amount'])", omitted=ABSENT
            ),
            *(_text(name) for name in ("action_type", "resource", "data_type", "purpose")),
            _object("detail"),
            Field("refused", read=None, kept=False),
            given={**_OF_NOTEBOOK, **_REALM, "default_level": "TrustLevel.L5_AUTONOMOUS"},
            checked=True,
        ),
        _response(_DECISION),
    ),
    Operation(
        "cancel",
        Shape(
            "Void",
            _needed("of", "id of the ask to cancel"),
            replace(_flag("act"), takes="", kept=False),
            _flag("delivered"),
            given=_OF_NOTEBOOK,
            checked=True,
        ),
        _response(
            _given("voided", "{}", "voided"),
            _given("found", "None if {} is None else {}.value", "found"),
            _given("state", "None if it.voided or {} is None else STATE.write({}, shared_with)", "state"),
        ),
        ends=True,
    ),
    Operation(
        "trust",
        Shape(
            "dict",
            _needed("agent_id", "agent id"),
            _text("scope"),
            _text("assigned_by"),
            Field("level", "int({})", "optional_level(body, 'level')"),
            given={**_OF_NOTEBOOK, **_REALM, **_TIGHTEN},
            checked=True,
        ),
        _response(_given("level", "None if isinstance({}, bool) else int({}.level)"), _given("removed", "{} is True")),
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
            _needed("category"),
            _on("create"),
            given={**_OF_NOTEBOOK, **_TIGHTEN},
            checked=True,
        ),
        _response(_whole("budget", "BUDGET"), _given("created", "{}", "created"), _given("changed", "{}", "changed")),
    ),
    Operation(
        "consent",
        Shape(
            "dict",
            _needed("agent_id", "agent id"),
            _text("purpose"),
            _text("granted_by"),
            _text("data_type"),
            _micros("until"),
            given={**_OF_NOTEBOOK, **_REALM},
            checked=True,
        ),
        _response(
            Field(
                "consent",
                "None if isinstance({}, int) else CONSENT.write({})",
                "None if {} is None else CONSENT.read({})",
                "",
            ),
            _given("revoked", "{} if isinstance({}, int) else 0"),
        ),
    ),
    Operation(
        "agents",
        Shape("dict", checked=True),
        _response(
            _given("session_level", "None if {} is None else int({})", "session_level"),
            _each("agents", "ASSIGNMENT", "agents"),
        ),
        reads=True,
    ),
    Operation(
        "budgets",
        Shape("ListBudgets", _text("category"), given={"notebook": "notebook"}, checked=True),
        _response(_each("budgets", "BUDGET")),
        reads=True,
    ),
    Operation(
        "consents",
        Shape("dict", _text("agent_id", "agent id"), _text("data_type"), _text("purpose"), checked=True),
        _response(_each("consents", "CONSENT")),
        reads=True,
    ),
    Operation(
        "audit",
        Shape(
            "AuditQuery",
            Field("outcome", "GovernanceOutcome({}).value", _OUTCOME, omitted=ABSENT),
            _micros("since"),
            _micros("until"),
            _flag("decisions"),
            *(_text(name) for name in ("agent_id", "event", "tool", "action_type", "resource")),
            _flag("oldest_first"),
            Field("limit", "{}", "whole(body, 'limit', default=10, least=1, most=1_000)"),
            _text("cursor"),
            replace(_flag("count"), takes="", kept=False),
            given={"notebook": "notebook"},
            checked=True,
        ),
        _response(_each("records", "ENTRY", "records"), Field("cursor"), _given("total", "None"), made="AuditPage"),
        reads=True,
    ),
)
