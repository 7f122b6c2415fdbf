"""Traits for the extension's settings: types that validate and normalize a value from a file or a command line.

A wrong value raises TraitError, which names the setting, the value and the valid values.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from traitlets import Bool, List, TraitError, TraitType

from ... import money
from ...errors import AumOSGovernanceError
from ...printing import type_of
from ...wire import fields

_WEEK: Final = 7 * 24 * 3600.0


class Dollars(TraitType[Any, Any]):
    """An amount in USD, set as ``"10"``, ``10``, ``10.0`` or a Decimal and stored as exact decimal text.

    With ``allow_none``, the value may also be None, or the text ``None`` on a command line: there is no limit then.
    """

    info_text = "an amount from 0 to 1000000000 US dollars with at most 9 decimals"

    def validate(self, obj: Any, value: Any) -> str:
        try:
            return money.to_text(money.parse(value))
        except AumOSGovernanceError:
            refuse(self, value, self.info_text + (", or None for no limit" if self.allow_none else ""))


class Level(TraitType[Any, Any]):
    """A trust level, set as ``2``, ``"2"`` or ``"L2"`` and stored as its number."""

    info_text = "a trust level, a whole number from 0 to 5"

    def validate(self, obj: Any, value: Any) -> int:
        try:
            level = fields.optional_level({"level": value}, "level")
        except AumOSGovernanceError:
            level = None
        if level is None:
            refuse(self, value, self.info_text)
        return int(level)


class Seconds(TraitType[Any, Any]):
    """A duration in seconds, at most a week, set as ``600`` or ``"600"`` and stored as a float."""

    info_text = "a number of seconds, more than 0 and at most 604800, which is a week"

    def validate(self, obj: Any, value: Any) -> float:
        try:
            seconds = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            seconds = math.nan
        if not 0 < seconds <= _WEEK:
            refuse(self, value, self.info_text)
        return seconds


class Fractions(List[Any]):
    """A list of fractions in rising order, such as ``[0.5, 0.8]``, each above 0 and at most 1; it may be empty.

    Each fraction is stored as exact decimal text.
    """

    info_text = "a list of rising fractions, each above 0 and at most 1, for example [0.5, 0.8]"

    def validate(self, obj: Any, value: Any) -> list[str]:
        if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
            refuse(self, value, self.info_text)
        fractions = [_fraction(item) for item in value]
        exact = [fraction for fraction in fractions if fraction is not None]
        if len(exact) < len(fractions) or exact != sorted(set(exact)):
            refuse(self, value, self.info_text)
        return [_plain(fraction) for fraction in exact]


class Autostart(TraitType[Any, Any]):
    """The value of the setting ``autostart``: a bool, or a dict with a ``trust_level``, a ``budget`` in USD or both.

    In a stored dict, the trust level is a number and the budget exact decimal text.
    """

    info_text = "True, False, or a dict such as {'trust_level': 3, 'budget': '5'}"

    def validate(self, obj: Any, value: Any) -> bool | dict[str, Any]:
        if isinstance(value, bool):
            return value
        if not isinstance(value, Mapping):
            refuse(self, value, self.info_text)
        for field in value:
            if field not in ("trust_level", "budget"):
                raise TraitError(
                    f"{full_name(self)} has the unknown field {shown(field)}; its fields are trust_level and budget."
                )
        kinds: dict[str, Level | Dollars] = {"trust_level": Level(), "budget": Dollars()}
        found = {}
        for field, item in value.items():
            try:
                found[field] = kinds[field].validate(obj, item)
            except TraitError:
                raise TraitError(
                    f"{full_name(self)}.{field} is {shown(item)}, but must be {kinds[field].info_text}."
                ) from None
        return found

    def from_string(self, s: str) -> Any:
        """Return the bool (``True``, ``1``, ``False``, ``0``) or dict from the text of a command line.

        Other text is returned unchanged, so that `validate` refuses it with its message.
        """
        try:
            return Bool().from_string(s)
        except ValueError:
            return literal(s)


def literal(text: str) -> Any:
    """Return the value of a Python literal, e.g. a dict, from a command line; return any other text unchanged."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def refuse(trait: TraitType[Any, Any], value: object, valid: str) -> NoReturn:
    """Raise TraitError for a wrong value of a setting; ``valid`` describes the valid values, as in "a number"."""
    raise TraitError(f"{full_name(trait)} is {shown(value)}, but must be {valid}.")


def full_name(trait: TraitType[Any, Any]) -> str:
    """Return the name of a setting as it is written in a configuration file, such as ``GovernanceExtension.strict``."""
    owner = trait.this_class.__name__ if trait.this_class is not None else "the extension"
    return f"{owner}.{trait.name}"


def shown(value: object) -> str:
    """Return a wrong value as text for an error message, cut after 60 characters."""
    try:
        text = repr(value)
    except ValueError:
        # Python refuses to convert an int of many thousand digits to text.
        text = type_of(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _fraction(value: object) -> Decimal | None:
    """Return ``value`` as an exact fraction if it is above 0 and at most 1; None for all other values.

    A float is read as its shortest decimal text, so 0.1 is exactly one tenth.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        fraction = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    if not fraction.is_finite() or not 0 < fraction <= 1 or fraction.adjusted() < -9:
        return None
    return fraction


def _plain(fraction: Decimal) -> str:
    text = f"{fraction:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
