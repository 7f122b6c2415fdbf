"""What one operation of the wire protocol is: its request, its response, and the kinds of fields that these have."""

from __future__ import annotations

from typing import Final, NamedTuple

from .bodies import ADJUSTMENT, ASSIGNMENT, BUDGET, CONSENT, DECISION, ENTRY, PREVIOUS, RESOLUTION, STATE
from .shapes import ABSENT, EMPTY, Field, Shape

__all__ = [
    "KEYED",
    "OF_NOTEBOOK",
    "WITHIN",
    "Operation",
    "amount",
    "each",
    "flag",
    "given",
    "level",
    "members",
    "microseconds",
    "needed",
    "on",
    "response",
    "text",
    "whole",
]

_NOTHING: Final = Shape("")


class Operation(NamedTuple):
    """One operation, by its name on the wire as ``op``."""

    name: str
    request: Shape = _NOTHING
    """Of what the ledger is requested, or of a ``dict`` of values from which the service makes that."""
    response: Shape = _NOTHING
    """Of what the ledger gives back; read, it is that again as far as the wire carries it."""
    reads: bool = False
    """It reads what is committed, and changes nothing."""
    charges: bool = False
    """It is undone where its response was not handed over."""
    ends: bool = False
    """It ends a charge or takes one back: what it names is over, so it is let through and never undone."""
    stands: bool = False
    """Once executed it stands, and is only prevented before that."""


# ---- the fields of requests


def text(name: str, what: str = "", *, of: str | None = None, default: str | None = None) -> Field:
    """Text that may be left out; ``what`` is how a refusal names it."""
    read = f"optional_text(body, {name!r}, {what or name!r})"
    return Field(name, "{}", read if default is None else f"{read} or {default!r}", of, of, ABSENT)


def needed(name: str, what: str = "") -> Field:
    """Text that must be given."""
    return Field(name, "{}", f"text(body, {name!r}, {what or name!r})")


def amount(what: str, example: str = "0.05; 0 is one", read: str = "amount") -> Field:
    """An amount in USD that must be given; ``what`` is how a refusal names the request."""
    without = f"{what} needs an amount in US dollars, for example {example}."
    return Field("amount", "to_text({})", f"{read}(body, 'amount', {without!r})")


def flag(name: str) -> Field:
    """A boolean that defaults to false."""
    return Field(name, "{}", f"flag(body, {name!r})", omitted=EMPTY)


def on(name: str) -> Field:
    """A boolean that defaults to true."""
    return Field(name, "{}", f"body.get({name!r}) is None or flag(body, {name!r})")


def level(name: str, default: str | None = None) -> Field:
    """A trust level, ``default`` where it is left out."""
    read = f"optional_level(body, {name!r})"
    if default is not None:
        read = f"TrustLevel.{default} if body.get({name!r}) is None else {read}"
    return Field(name, "int({})", read, omitted=ABSENT)


def members(name: str) -> Field:
    """An object, empty where it is left out."""
    return Field(name, "{}", f"members(body, {name!r})", omitted=EMPTY)


def microseconds(name: str) -> Field:
    """Whole microseconds since the epoch."""
    return Field(name, "{}", f"microseconds(body, {name!r})", omitted=ABSENT)


# ---- what a request has beside its body: its key, origin and expiry; the notebook; and the server's policy

KEYED: Final = {"key": "key", "origin": "origin", "expires_at": "expires_at"}
OF_NOTEBOOK: Final = {**KEYED, "notebook": "notebook"}
WITHIN: Final = {**OF_NOTEBOOK, "terms": "terms"}

# ---- the fields of responses


def given(name: str, write: str, of: str = "") -> Field:
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


def response(*fields: Field, made: str = "", **shapes: Shape) -> Shape:
    """The fields of a response; they may name the bodies of this package, and ``shapes`` besides."""
    return Shape(made, *fields, names={**_NAMES, **shapes})


def whole(name: str, shape: str) -> Field:
    """What the ledger gave back, as the body that this shape is of."""
    return Field(name, f"{shape}.write({{}})", f"{shape}.read({{}})", "")


def each(name: str, shape: str, of: str = "") -> Field:
    """A list of bodies of this shape."""
    return Field(name, f"[{shape}.write(each) for each in {{}}]", f"tuple([{shape}.read(each) for each in {{}}])", of)
