"""Amounts of money: integer nano-USD inside the package, ``Decimal`` and decimal text at its edges, never a float.

One nano-USD is a billionth of a US dollar. A signed 64-bit column can store up to 9.2 billion USD in this unit, and
the cheapest token price in use is thousands of nano-USD per million tokens, so nothing is lost to rounding.
"""

from __future__ import annotations

import numbers
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any, Final

from .errors import InvalidAmountError
from .printing import type_of

NANO_PER_USD: Final = 1_000_000_000
MAX_NANO: Final = 1_000_000_000 * NANO_PER_USD
"""The largest amount that this package accepts: 1e9 USD."""

_CENT: Final = NANO_PER_USD // 100
_PLACES: Final = Decimal(1).scaleb(-9)
_CEILING: Final = Context(prec=80, rounding=ROUND_CEILING)
# 1e9 USD with nine decimals takes 20 characters; a text longer than this is a mistake, or an attack on the parser of
# Decimal.
_MAX_TEXT: Final = 64


def parse(value: object, *, what: str = "amount") -> int:
    """Return an amount in nano-USD, given in USD: ``parse("0.05")`` is 50,000,000. 0 is a valid amount.

    Accepts ``int``, ``Decimal``, ``str`` (plain decimal text, with or without a leading ``$``), ``float``, and NumPy's
    numbers. A float is rounded half-even to the nano-dollar, since most decimal fractions have no exact float; text
    and Decimals may have at most nine decimals.

    Raises InvalidAmountError for an amount that is not finite, is negative, is above 1e9 USD, has more than nine
    decimals, or is positive and would round to 0. ``what`` names the amount in the message.
    """
    if type(value) is ExactAmount:
        return value.nano
    plain = _parse_plain(value)
    if plain is not None:
        return plain
    exact = _decimal(value, what)
    if not exact.is_finite():
        raise InvalidAmountError(f"The {what} must be a finite number of US dollars, not {_shown(value)}.")
    if exact < 0:
        raise InvalidAmountError(f"The {what} must not be negative, but is {_shown(value)}.")
    if exact > NANO_PER_USD:
        raise InvalidAmountError(f"The {what} must be at most 1000000000 US dollars, but is {_shown(value)}.")
    with localcontext() as context:
        # Every amount in nano-USD has at most 19 digits. The precision is set because the caller may have lowered it.
        context.prec = 80
        rounded = exact.quantize(_PLACES, rounding=ROUND_HALF_EVEN)
        if rounded != exact and not _is_binary(value):
            raise InvalidAmountError(
                f"The {what} must have at most 9 decimals (a billionth of a dollar), but is {_shown(value)}."
            )
        if rounded == 0 and exact != 0:
            raise InvalidAmountError(f"The {what} {_shown(value)} is less than a billionth of a dollar.")
        return int(rounded.scaleb(9))


def parse_positive(value: object, *, what: str = "amount") -> int:
    """Return an amount in nano-USD like `parse`, but raise InvalidAmountError for 0 as well."""
    nano = parse(value, what=what)
    if nano == 0:
        raise InvalidAmountError(f"The {what} must be more than 0 US dollars.")
    return nano


def ceil_nano(cost: Decimal) -> int:
    """Return a computed cost, given in USD, in nano-USD. It is rounded up, so that never too little is charged.

    Raises InvalidAmountError if the cost is negative, not finite or above 1e9 USD.
    """
    if not cost.is_finite() or cost < 0 or cost > NANO_PER_USD:
        raise InvalidAmountError(f"The computed cost {cost} is not an amount from 0 to 1000000000 US dollars.")
    # With this module's context, since the caller may have changed the default one.
    return int(_CEILING.to_integral_value(_CEILING.scaleb(cost, 9)))


class ExactAmount(Decimal):
    """A Decimal amount in USD that also contains the amount in nano-USD, so that `parse` need not convert it."""

    __slots__ = ("nano",)
    nano: int

    @classmethod
    def of(cls, nano: int) -> ExactAmount:
        """Return the amount in USD for an amount of ``nano`` nano-USD."""
        amount = cls(to_text(nano))
        amount.nano = nano
        return amount

    def __reduce__(self) -> Any:
        return Decimal, (str(self),)

    def __copy__(self) -> ExactAmount:
        return self

    def __deepcopy__(self, memo: object) -> ExactAmount:
        return self


def to_decimal(nano: int) -> Decimal:
    """Return an amount of nano-USD as an exact Decimal in USD, without trailing zeros (``Decimal("9.8")``)."""
    return Decimal(to_text(nano))


def to_text(nano: int) -> str:
    """Return an amount of nano-USD as text in USD for JSON: ``"10"``, ``"9.8"``, ``"0.0004"``, without an exponent."""
    sign = "-" if nano < 0 else ""
    whole, fraction = divmod(abs(nano), NANO_PER_USD)
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:09d}".rstrip("0")


@lru_cache(maxsize=512)
def display(nano: int) -> str:
    """Return an amount of nano-USD as text for users, such as ``$9.80`` or ``$0.0004``.

    The text has at least two decimals, and is never rounded, so that no small amount is hidden.
    """
    sign = "-" if nano < 0 else ""
    whole, fraction = divmod(abs(nano), NANO_PER_USD)
    if not fraction % _CENT:
        return f"{sign}${whole}.{fraction // _CENT:02d}"
    return f"{sign}${whole}.{fraction:09d}".rstrip("0")


def _parse_plain(value: object) -> int | None:
    """Return an amount in nano-USD without the use of Decimal, which takes several times as long.

    Return None for an amount that only Decimal can parse. Most callers pass amounts that need no Decimal: whole
    dollars, floats of few digits, and the text of either.
    """
    if type(value) is int:
        return value * NANO_PER_USD if 0 <= value <= NANO_PER_USD else None
    if type(value) is float and 0 <= value <= NANO_PER_USD:
        return _parse_float(value)
    if type(value) is str or type(value) is Decimal:
        return _parse_text(str(value))
    return None


def _parse_text(text: str) -> int | None:
    whole, point, fraction = text.partition(".")
    if not (text.isascii() and len(whole) <= 9 and whole.isdigit()):
        return None
    if not point:
        return int(whole) * NANO_PER_USD
    if len(fraction) <= 9 and fraction.isdigit():
        return int(whole) * NANO_PER_USD + int(fraction.ljust(9, "0"))
    return None


@lru_cache(maxsize=512)  # callers pass the same few amounts again and again
def _parse_float(value: float) -> int | None:
    return _parse_text(repr(value))


def _decimal(value: object, what: str) -> Decimal:
    if isinstance(value, bool):
        # bool is a subclass of int, but True as an amount is always a mistake.
        raise InvalidAmountError(f"The {what} must be a number of US dollars, not {value!r}.")
    if isinstance(value, (numbers.Integral, Decimal)):
        return value if isinstance(value, Decimal) else Decimal(int(value))
    if isinstance(value, numbers.Real):
        # repr has the digits that the caller wrote; Decimal(0.1) would have those of the binary value.
        return Decimal(repr(float(value)))
    if isinstance(value, str):
        text = value.strip().removeprefix("$")
        if len(text) <= _MAX_TEXT and text.isascii() and "_" not in text:
            try:
                return Decimal(text)
            except InvalidOperation:
                pass
    raise InvalidAmountError(f"The {what} must be a number of US dollars, not {_shown(value)}.")


def _is_binary(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational)


def _shown(value: object) -> str:
    if isinstance(value, (Decimal, numbers.Real)):
        # str() of an int with more than 4,300 digits raises ValueError; str() of its Decimal does not.
        text = str(Decimal(int(value))) if isinstance(value, numbers.Integral) else str(value)
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."
    if not isinstance(value, str):
        return "None" if value is None else type_of(value)
    text = value
    return repr(text) if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]!r}..."
