"""`Operation`, the declaration of one operation of the wire protocol, and functions that declare its fields.

The functions return a `Field`, which has the code that writes and reads the field.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .bodies import ADJUSTMENT, ASSIGNMENT, BUDGET, CONSENT, DECISION, ENTRY, PREVIOUS, RESOLUTION, STATE
from .shapes import ABSENT, EMPTY, Field, Shape

_NOTHING: Final = Shape("")


class Operation(NamedTuple):
    """One operation that a kernel can request of its server, such as ``hold``; ``name`` is its ``op`` on the wire."""

    name: str
    request: Shape = _NOTHING
    """The fields of the request. The server reads them as a request of the ledger, or as a ``dict``, from which the
    service makes the ledger's request."""
    response: Shape = _NOTHING
    """The fields of the response. The server writes them from the ledger's response, and kernels read them back as that
    response, except for the fields that only the server writes."""
    reads: bool = False
    """Whether the operation only reads committed data of the ledger."""
    charges: bool = False
    """Whether the operation charges or holds an amount. The client cancels a request of such an operation if the
    response did not reach the caller."""
    ends: bool = False
    """Whether the operation settles, releases or voids a charge. Such requests are admitted even if so many requests
    are in flight that others are refused, and they are never undone."""
    stands: bool = False
    """Whether the operation cannot be undone. If a client gives up such a request, a cancel can only prevent that it is
    executed later."""


# ---- the fields of requests


def text(name: str, what: str = "", *, of: str | None = None, default: str | None = None) -> Field:
    """Return the declaration of an optional text field.

    ``what`` names the field in error messages, ``of`` is the attribute of the request that has its value (None: the
    field's name), and ``default`` is the value if the field is missing.
    """
    read = f"optional_text(body, {name!r}, {what or name!r})"
    return Field(name, "{}", read if default is None else f"{read} or {default!r}", of, of, ABSENT)


def required_text(name: str, what: str = "") -> Field:
    """Return the declaration of a required text field. ``what`` names the field in error messages."""
    return Field(name, "{}", f"text(body, {name!r}, {what or name!r})")


def amount(what: str, example: str = "0.05; 0 is allowed", read: str = "amount") -> Field:
    """Return the declaration of the required field ``amount``, in USD.

    ``what`` names the request, and ``example`` valid amounts, in the message of the error for a missing amount.
    ``read`` is the function of `fields` that reads the field.
    """
    without = f"{what} needs an amount in US dollars, for example {example}."
    return Field("amount", "to_text({})", f"{read}(body, 'amount', {without!r})")


def flag(name: str) -> Field:
    """Return the declaration of an optional boolean field; a missing field is false."""
    return Field(name, "{}", f"flag(body, {name!r})", omitted=EMPTY)


def true_flag(name: str) -> Field:
    """Return the declaration of an optional boolean field; a missing field is true."""
    return Field(name, "{}", f"body.get({name!r}) is None or flag(body, {name!r})")


def level(name: str, default: str | None = None) -> Field:
    """Return the declaration of an optional field with a trust level.

    ``default`` is the name of the level for a missing field, such as ``"L1_MONITOR"``; without it, the value is None.
    """
    read = f"optional_level(body, {name!r})"
    if default is not None:
        read = f"TrustLevel.{default} if body.get({name!r}) is None else {read}"
    return Field(name, "int({})", read, omitted=ABSENT)


def members(name: str) -> Field:
    """Return the declaration of an optional field with a JSON object; a missing field is an empty object."""
    return Field(name, "{}", f"members(body, {name!r})", omitted=EMPTY)


def microseconds(name: str) -> Field:
    """Return the declaration of an optional field with a time in whole microseconds since the epoch."""
    return Field(name, "{}", f"microseconds(body, {name!r})", omitted=ABSENT)


# ---- values that the server adds to a request's body: its key, origin and expiry, the notebook, and the policy

KEYED: Final = {"key": "key", "origin": "origin", "expires_at": "expires_at"}
OF_NOTEBOOK: Final = {**KEYED, "notebook": "notebook"}
WITHIN: Final = {**OF_NOTEBOOK, "terms": "terms"}

# ---- the fields of responses


def write_only(name: str, write: str, of: str = "") -> Field:
    """Return the declaration of a field that the server writes, and that kernels do not read into an object.

    ``write`` is the Python expression for its value, in which ``{}`` is the attribute ``of`` of the response, or by
    default the response itself.
    """
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
    """Return the declaration of a response with these fields.

    The fields' Python expressions may use, by name, the shapes in `bodies` and the shapes that are passed as
    ``shapes``. ``made`` is the name of the class of the response, as for `Shape`.
    """
    return Shape(made, *fields, names={**_NAMES, **shapes})


def whole(name: str, shape: str) -> Field:
    """Return the declaration of a field with the whole response of the ledger as a body.

    ``shape`` is the name of the `Shape` of the body, such as ``"DECISION"``.
    """
    return Field(name, f"{shape}.write({{}})", f"{shape}.read({{}})", "")


def each(name: str, shape: str, of: str = "") -> Field:
    """Return the declaration of a field with a list of bodies.

    ``shape`` is the name of their `Shape`, such as ``"BUDGET"``. ``of`` is the attribute of the response with the list
    of objects; "" is the response itself.
    """
    return Field(name, f"[{shape}.write(each) for each in {{}}]", f"tuple([{shape}.read(each) for each in {{}}])", of)
