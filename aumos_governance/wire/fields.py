"""One place that says what a valid value of a field is, and reads it from a body or refuses it in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, TypeGuard, TypeVar

from .. import money
from ..clock import MICROS
from ..errors import InvalidPeriodError, InvalidRequestError
from ..types import BUDGET_PERIOD_VALUES, BudgetPeriod, TrustLevel

__all__ = [
    "MAX_TEXT",
    "MAX_TIME",
    "amount",
    "budget",
    "choice",
    "flag",
    "is_number",
    "is_text",
    "kind_of",
    "known_only",
    "members",
    "microseconds",
    "moment",
    "optional_budget",
    "optional_level",
    "optional_text",
    "period",
    "positive",
    "shown",
    "text",
    "whole",
]

MAX_TIME: Final = 1e12
"""The latest time, in seconds since the epoch."""
MAX_TEXT: Final = 1_000
"""The most characters of an id, a tool or an agent id; a longer one is an error, never cut."""
_MOST_MICROS: Final = 2**62
EnumT = TypeVar("EnumT", bound=Enum)


def optional_level(body: Mapping[str, Any], name: str = "trust_level") -> TrustLevel | None:
    """A trust level given as a number, ``"2"`` or ``"L2"``; None when it is left out or null."""
    raw = body.get(name)
    if raw is None:
        return None
    number: object = raw
    if isinstance(raw, str):
        digits = raw.strip().upper().removeprefix("L")
        number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else raw
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 5:
        return TrustLevel(number)
    raise InvalidRequestError(f"The trust level must be a whole number from 0 to 5, not {_shown(raw)}.")


def optional_budget(body: Mapping[str, Any], name: str = "budget") -> int | None:
    """A budget in nano-USD; None when it is left out or null. Raises InvalidAmountError."""
    raw = body.get(name)
    return None if raw is None else money.parse(raw, what=name.replace("_", " "))


def optional_text(body: Mapping[str, Any], name: str, what: str) -> str | None:
    """Text of 1 to 1,000 characters; None when it is left out or null."""
    return None if body.get(name) is None else text(body, name, what)


def text(body: Mapping[str, Any], name: str, what: str) -> str:
    """Text of 1 to 1,000 characters that must be given."""
    raw = body.get(name)
    if not isinstance(raw, str) or not raw.strip():
        raise InvalidRequestError(f"The {what} must be text that is not empty, not {_shown(raw)}.")
    if len(raw) > MAX_TEXT:
        raise InvalidRequestError(f"The {what} must have at most {MAX_TEXT} characters, but has {len(raw)}.")
    if not is_text(raw):
        raise InvalidRequestError(f"The {what} has a character that is not valid text.")
    return raw


def flag(body: Mapping[str, Any], name: str) -> bool:
    """A boolean that defaults to false."""
    raw = body.get(name, False)
    if not isinstance(raw, bool):
        raise InvalidRequestError(f"The field {name} must be true or false, not {_shown(raw)}.")
    return raw


def members(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object that is empty when it is left out or null."""
    raw = body.get(name)
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise InvalidRequestError(f"The field {name} must be an object, not {_shown(raw)}.")
    return raw


def whole(body: Mapping[str, Any], name: str, *, default: int, least: int, most: int) -> int:
    """A whole number within bounds, given as a number or as its digits."""
    raw = body.get(name)
    if raw is None:
        return default
    number = int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 10 else raw
    if isinstance(number, int) and not isinstance(number, bool) and least <= number <= most:
        return number
    raise InvalidRequestError(f"The {name} must be a whole number from {least} to {most}, not {_shown(raw)}.")


def known_only(body: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse unknown fields: a misspelt limit must not pass for a limit."""
    known = sorted(names)
    for name in body:
        if name not in known:
            raise InvalidRequestError(f"The field {_shown(name)} is not known here; the fields are {', '.join(known)}.")


def _shown(raw: object) -> str:
    shown = repr(raw) if isinstance(raw, (str, int, float, bool)) else f"a {type(raw).__name__}"
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


def amount(body: Mapping[str, Any], name: str, without: str) -> int:
    """An amount in nano-USD, 0 included; ``without`` is the refusal of a body that has none."""
    if name not in body:
        raise InvalidRequestError(without)
    return money.parse(body[name])


def positive(body: Mapping[str, Any], name: str, without: str) -> int:
    """As `amount`, more than 0."""
    if name not in body:
        raise InvalidRequestError(without)
    return money.parse_positive(body[name])


def budget(body: Mapping[str, Any], name: str, without: str) -> int:
    """A budget in nano-USD that must be given; ``without`` is the refusal of a body that has none."""
    found = optional_budget(body, name)
    if found is None:
        raise InvalidRequestError(without)
    return found


def period(body: Mapping[str, Any], name: str = "period") -> BudgetPeriod:
    """A budget's period, monthly where it is left out or empty. Raises InvalidPeriodError."""
    raw = body.get(name) or BudgetPeriod.MONTHLY.value
    if raw not in BUDGET_PERIOD_VALUES:
        raise InvalidPeriodError(
            f"A budget's period is one of {', '.join(BUDGET_PERIOD_VALUES)}, not {str(raw)[:40]!r}."
        )
    return BudgetPeriod(raw)


def moment(body: Mapping[str, Any], name: str, what: str) -> int | None:
    """Microseconds since the epoch, given as a number of seconds; None when they are left out or null."""
    raw = body.get(name)
    if raw is None:
        return None
    if not is_number(raw, MAX_TIME):
        raise InvalidRequestError(f"{what} must be a number of seconds since the epoch.")
    return int(raw * MICROS)


def microseconds(body: Mapping[str, Any], name: str) -> int | None:
    """Whole microseconds since the epoch; None when they are left out or null."""
    raw = body.get(name)
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int) or abs(raw) > _MOST_MICROS:
        raise InvalidRequestError(f"The {name} must be a whole number of microseconds since the epoch.")
    return raw


def choice(body: Mapping[str, Any], name: str, of: type[EnumT], listed: str) -> EnumT | None:
    """One of the values of an enumeration; None when it is left out or null. ``listed`` names them in a refusal."""
    raw = body.get(name)
    if raw is None:
        return None
    for member in of:
        if raw == member.value:
            return member
    raise InvalidRequestError(f"The {name} must be {listed}, not {str(raw)[:40]!r}.")


def is_number(raw: object, most: float) -> TypeGuard[int | float]:
    """Whether this is a number from minus ``most`` to ``most``; NaN is none, and neither is true.

    Compared, since `math.isfinite` fails for a whole number beyond all floats, which JSON may hold.
    """
    return not isinstance(raw, bool) and isinstance(raw, (int, float)) and -most <= raw <= most


def is_text(raw: str) -> bool:
    """Whether every database and transport can hold it: no NUL, and no half of a surrogate pair."""
    return raw.isprintable() or not any(0xD800 <= ord(character) <= 0xDFFF or character == "\0" for character in raw)


def shown(value: object) -> str:
    """A value of a message as a refusal names it: short, and without a look into what may be nested deep."""
    return f"{value!r:.40}" if isinstance(value, (str, int, float)) else kind_of(value)


def kind_of(value: object) -> str:
    """What a value is, without a look into it."""
    return "null" if value is None else f"a {type(value).__name__}"
