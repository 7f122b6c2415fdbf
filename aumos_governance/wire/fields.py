"""Reading what people, magics and programs wish for: one place that says what a valid value is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import money
from ..errors import InvalidRequestError
from ..types import TrustLevel
from .protocol import MAX_TEXT, is_text

__all__ = ["flag", "known_only", "members", "optional_budget", "optional_level", "optional_text", "text", "whole"]


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
        raise InvalidRequestError(f"The {what} has a character that is not text.")
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
    """Refuse fields nobody reads: a misspelt limit must not pass for a limit."""
    known = sorted(names)
    for name in body:
        if name not in known:
            raise InvalidRequestError(f"The field {_shown(name)} is not known here; the fields are {', '.join(known)}.")


def _shown(raw: object) -> str:
    shown = repr(raw) if isinstance(raw, (str, int, float, bool)) else f"a {type(raw).__name__}"
    return shown if len(shown) <= 60 else f"{shown[:60]}..."
