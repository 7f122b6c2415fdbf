"""The declaration of an operation of the wire protocol, and functions that declare the fields it can have."""

from __future__ import annotations

from typing import Final, NamedTuple

from .bodies import ADJUSTMENT, ASSIGNMENT, BUDGET, CONSENT, DECISION, ENTRY, PREVIOUS, RESOLUTION, STATE
from .shapes import ABSENT, EMPTY, Field, Shape

_NOTHING: Final = Shape("")


class Operation(NamedTuple):
    """One operation of the wire protocol; ``name`` is its ``op`` on the wire."""

    name: str
    request: Shape = _NOTHING
    """The fields of the request. The server reads them as a request of the ledger, or as a ``dict``; from the ``dict``
    the service makes the ledger's request."""
    response: Shape = _NOTHING
    """The fields of the response. The server writes them from the ledger's response, and kernels read them back as that
    response, except for the fields that only the server writes."""
    reads: bool = False
    """Whether the operation only reads committed data."""
    charges: bool = False
    """Whether the operation charges or holds an amount. The client cancels a request of such an operation if the
    response did not reach the caller."""
    ends: bool = False
    """Whether the operation ends or voids a charge. Its requests are admitted even if so many requests are in flight
    that others are refused, and they are never undone."""
    stands: bool = False
    """Whether the operation cannot be undone: a client that gives up a request can only prevent its later execution."""


# ---- the fields of requests


def text(name: str, what: str = "", *, of: str | None = None, default: str | None = None) -> Field:
    """Return an optional field with text. ``what`` names the field in errors, ``of`` the attribute with its value."""
    read = f"optional_text(body, {name!r}, {what or name!r})"
    return Field(name, "{}", read if default is None else f"{read} or {default!r}", of, of, ABSENT)


def required_text(name: str, what: str = "") -> Field:
    """Return a field that must be there and be text. ``what`` names the field in errors."""
    return Field(name, "{}", f"text(body, {name!r}, {what or name!r})")


def amount(what: str, example: str = "0.05; 0 is allowed", read: str = "amount") -> Field:
    """Return the required field ``amount``, in USD. ``what`` names the request in errors."""
    without = f"{what} needs an amount in US dollars, for example {example}."
    return Field("amount", "to_text({})", f"{read}(body, 'amount', {without!r})")


def flag(name: str) -> Field:
    """Return an optional field with a boolean. A missing field is read as false."""
    return Field(name, "{}", f"flag(body, {name!r})", omitted=EMPTY)


def true_flag(name: str) -> Field:
    """Return an optional field with a boolean. A missing field is read as true."""
    return Field(name, "{}", f"body.get({name!r}) is None or flag(body, {name!r})")


def level(name: str, default: str | None = None) -> Field:
    """Return an optional field with a trust level. ``default`` is the name of the level to use if it is missing."""
    read = f"optional_level(body, {name!r})"
    if default is not None:
        read = f"TrustLevel.{default} if body.get({name!r}) is None else {read}"
    return Field(name, "int({})", read, omitted=ABSENT)


def members(name: str) -> Field:
    """Return an optional field with an object. A missing field is read as an empty object."""
    return Field(name, "{}", f"members(body, {name!r})", omitted=EMPTY)


def microseconds(name: str) -> Field:
    """Return an optional field with whole microseconds since the epoch."""
    return Field(name, "{}", f"microseconds(body, {name!r})", omitted=ABSENT)


# ---- values that the server adds to a request's body: its key, origin and expiry, the notebook, and the policy

KEYED: Final = {"key": "key", "origin": "origin", "expires_at": "expires_at"}
OF_NOTEBOOK: Final = {**KEYED, "notebook": "notebook"}
WITHIN: Final = {**OF_NOTEBOOK, "terms": "terms"}

# ---- the fields of responses


def write_only(name: str, write: str, of: str = "") -> Field:
    """Return a field of a response that the server writes and that kernels do not read into the ledger's response."""
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
    """Return the shape of a response. Its fields' expressions may use the shapes of `bodies` and ``shapes`` by name."""
    return Shape(made, *fields, names={**_NAMES, **shapes})


def whole(name: str, shape: str) -> Field:
    """Return a field with the ledger's complete response, as a body of the shape that is named ``shape``."""
    return Field(name, f"{shape}.write({{}})", f"{shape}.read({{}})", "")


def each(name: str, shape: str, of: str = "") -> Field:
    """Return a field with a list of bodies of the shape that is named ``shape``."""
    return Field(name, f"[{shape}.write(each) for each in {{}}]", f"tuple([{shape}.read(each) for each in {{}}])", of)
