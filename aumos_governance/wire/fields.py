"""Functions that read and validate single fields of request bodies, from kernels as well as over REST.

``body`` is always the parsed JSON body, and ``name`` the name of the field in it. All functions raise
InvalidRequestError for an invalid value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, TypeGuard, TypeVar

from .. import money
from ..clock import MICROS
from ..errors import InvalidPeriodError, InvalidRequestError
from ..printing import type_of
from ..types import BUDGET_PERIOD_VALUES, BudgetPeriod, TrustLevel

MAX_TIME: Final = 1e12
"""The latest time that is accepted, in seconds since the epoch."""
MAX_TEXT: Final = 1_000
"""The most characters that an id or the name of a tool or agent may have. Longer text is an error, and is never cut."""
_MOST_MICROS: Final = 2**62
EnumT = TypeVar("EnumT", bound=Enum)


def optional_level(body: Mapping[str, Any], name: str = "trust_level") -> TrustLevel | None:
    """Return the trust level in a field, or None if the field is missing or null.

    The field may have a number, or text such as ``"2"`` or ``"L2"``.
    """
    raw = body.get(name)
    if raw is None:
        return None
    number: object = raw
    if isinstance(raw, str):
        digits = raw.strip().upper().removeprefix("L")
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else raw
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 5:
        return TrustLevel(number)
    raise InvalidRequestError(f"The trust level must be a whole number from 0 to 5, not {shown(raw)}.")


def optional_budget(body: Mapping[str, Any], name: str = "budget") -> int | None:
    """Return the budget in a field, in nano-USD, or None if the field is missing or null. Raises InvalidAmountError."""
    raw = body.get(name)
    return None if raw is None else money.parse(raw, what=name.replace("_", " "))


def optional_text(body: Mapping[str, Any], name: str, what: str) -> str | None:
    """Return the text in a field, of 1 to 1,000 characters, or None if the field is missing or null.

    ``what`` names the field in error messages.
    """
    return None if body.get(name) is None else text(body, name, what)


def text(body: Mapping[str, Any], name: str, what: str) -> str:
    """Return the text in a required field, of 1 to 1,000 characters. ``what`` names the field in error messages."""
    raw = body.get(name)
    if not isinstance(raw, str) or not raw.strip():
        raise InvalidRequestError(f"The {what} must be text that is not empty, not {shown(raw)}.")
    if len(raw) > MAX_TEXT:
        raise InvalidRequestError(f"The {what} must have at most {MAX_TEXT} characters, but has {len(raw)}.")
    if not is_text(raw):
        raise InvalidRequestError(
            f"The {what} has a character that is not valid text, NUL or a lone surrogate; remove it."
        )
    return raw


def flag(body: Mapping[str, Any], name: str) -> bool:
    """Return the boolean in a field, or False if the field is missing."""
    raw = body.get(name, False)
    if not isinstance(raw, bool):
        raise InvalidRequestError(f"The field {name} must be true or false, not {shown(raw)}.")
    return raw


def members(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the JSON object in a field, as a mapping, which is empty if the field is missing or null."""
    raw = body.get(name)
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise InvalidRequestError(f"The field {name} must be an object, not {shown(raw)}.")
    return raw


def whole(body: Mapping[str, Any], name: str, *, default: int, least: int, most: int) -> int:
    """Return the whole number in a field, from ``least`` to ``most``, or ``default`` if the field is missing or null.

    The field may have a number, or text with its digits.
    """
    raw = body.get(name)
    if raw is None:
        return default
    number = int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 10 else raw
    if isinstance(number, int) and not isinstance(number, bool) and least <= number <= most:
        return number
    raise InvalidRequestError(f"The {name} must be a whole number from {least} to {most}, not {shown(raw)}.")


def known_only(body: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raise InvalidRequestError if the body has a field that is not in ``names``.

    Otherwise a limit whose name is misspelt would not be applied, and its user would not notice.
    """
    known = sorted(names)
    for name in body:
        if name not in known:
            raise InvalidRequestError(f"The field {shown(name)} is not known here; the fields are {', '.join(known)}.")


def amount(body: Mapping[str, Any], name: str, without: str) -> int:
    """Return the amount in a required field, in nano-USD; it may be 0.

    ``without`` is the message of the error that is raised if the field is missing.
    """
    if name not in body:
        raise InvalidRequestError(without)
    return money.parse(body[name])


def positive(body: Mapping[str, Any], name: str, without: str) -> int:
    """Return the amount in a required field, in nano-USD, like `amount`, but raise InvalidAmountError for 0."""
    if name not in body:
        raise InvalidRequestError(without)
    return money.parse_positive(body[name])


def budget(body: Mapping[str, Any], name: str, without: str) -> int:
    """Return the budget in a required field, in nano-USD.

    ``without`` is the message of the error that is raised if the field is missing or null.
    """
    limit = optional_budget(body, name)
    if limit is None:
        raise InvalidRequestError(without)
    return limit


def period(body: Mapping[str, Any], name: str = "period") -> BudgetPeriod:
    """Return the period of a budget in a field, or monthly if the field is missing or empty.

    Raises InvalidPeriodError for an unknown period.
    """
    raw = body.get(name) or BudgetPeriod.MONTHLY.value
    if raw not in BUDGET_PERIOD_VALUES:
        raise InvalidPeriodError(f"A budget's period is one of {', '.join(BUDGET_PERIOD_VALUES)}, not {shown(raw)}.")
    return BudgetPeriod(raw)


def moment(body: Mapping[str, Any], name: str, what: str) -> int | None:
    """Return the time in a field, in microseconds since the epoch, or None if the field is missing or null.

    The field has a number of seconds since the epoch. ``what`` names the time in error messages.
    """
    raw = body.get(name)
    if raw is None:
        return None
    if not is_number(raw, MAX_TIME):
        raise InvalidRequestError(f"{what} must be a number of seconds since the epoch, not {shown(raw)}.")
    return int(raw * MICROS)


def microseconds(body: Mapping[str, Any], name: str) -> int | None:
    """Return the time in a field, in whole microseconds since the epoch, or None if the field is missing or null."""
    raw = body.get(name)
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int) or abs(raw) > _MOST_MICROS:
        raise InvalidRequestError(
            f"The {name} must be a whole number of microseconds since the epoch, not {shown(raw)}."
        )
    return raw


def choice(body: Mapping[str, Any], name: str, of: type[EnumT], listed: str) -> EnumT | None:
    """Return the member of the enumeration ``of`` whose value is in a field, or None if the field is missing or null.

    ``listed`` is the text that names the allowed values in error messages, such as ``"call or act"``.
    """
    raw = body.get(name)
    if raw is None:
        return None
    for member in of:
        if raw == member.value:
            return member
    raise InvalidRequestError(f"The {name} must be {listed}, not {shown(raw)}.")


def is_number(raw: object, most: float) -> TypeGuard[int | float]:
    """Whether a value is a number from ``-most`` to ``most``; NaN and booleans are not.

    `math.isfinite` cannot check this: it raises OverflowError for an int above all floats, which JSON may contain.
    """
    return not isinstance(raw, bool) and isinstance(raw, (int, float)) and -most <= raw <= most


def is_text(raw: str) -> bool:
    """Whether every database can store the text, and every transport send it: it has no NUL and no lone surrogate."""
    return raw.isprintable() or not any(0xD800 <= ord(character) <= 0xDFFF or character == "\0" for character in raw)


def shown(value: object) -> str:
    """Return the text for a value in an error message: text and numbers, cut after 60 characters, or else the type."""
    if not isinstance(value, (str, int, float)):
        return kind_of(value)
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def kind_of(value: object) -> str:
    """Return the name of a value's type for an error message, such as "a list" or "null"."""
    return "null" if value is None else type_of(value)
