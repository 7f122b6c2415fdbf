"""Money: integer nano-USD inside, ``Decimal`` and decimal strings at the edges, never a float.

One nano-USD is a billionth of a US dollar. A signed 64-bit column holds 9.2 billion USD of them, and the
cheapest token price in use is thousands of nano-USD per million tokens, so nothing is lost to rounding.
"""

from __future__ import annotations

import numbers
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any, Final

from .errors import InvalidAmountError

__all__ = [
    "MAX_NANO",
    "NANO_PER_USD",
    "ExactAmount",
    "ceil_nano",
    "display",
    "parse",
    "parse_positive",
    "to_decimal",
    "to_text",
]

NANO_PER_USD: Final = 1_000_000_000
MAX_NANO: Final = 1_000_000_000 * NANO_PER_USD
"""The largest amount anything accepts: 1e9 USD."""

_CENT: Final = NANO_PER_USD // 100
_PLACES: Final = Decimal(1).scaleb(-9)
_CEILING: Final = Context(prec=80, rounding=ROUND_CEILING)
# The shortest text of 1e9 USD has 10 digits before the point; a longer text is a mistake or an attack on
# Decimal's parser.
_MAX_TEXT: Final = 64


def parse(value: object, *, what: str = "amount") -> int:
    """Read an amount in USD as nano-USD; 0 is an amount.

    Takes ``int``, ``Decimal``, ``str`` (plain decimal text, a leading ``$`` allowed) and ``float``, NumPy's
    numbers included. A float is rounded half-even to the nano-dollar, since the caller cannot write 0.3 in
    binary; text and decimals must be exact to nine places.

    Raises InvalidAmountError, in one sentence that starts with ``what``, for anything not finite, negative,
    above 1e9 USD, finer than a nano-dollar, or positive and rounding to 0.
    """
    if type(value) is ExactAmount:
        return value.nano
    quick = _plainly(value)
    if quick is not None:
        return quick
    exact = _decimal(value, what)
    if not exact.is_finite():
        raise InvalidAmountError(f"The {what} must be a finite number of US dollars, not {_shown(value)}.")
    if exact < 0:
        raise InvalidAmountError(f"The {what} must not be negative, but is {_shown(value)}.")
    if exact > NANO_PER_USD:
        raise InvalidAmountError(f"The {what} must be at most 1000000000 US dollars, but is {_shown(value)}.")
    with localcontext() as context:
        # Nineteen digits hold every amount in nano-USD; the default context would do, but a caller may have
        # changed it.
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
    """Like `parse`, and 0 is an InvalidAmountError too."""
    nano = parse(value, what=what)
    if nano == 0:
        raise InvalidAmountError(f"The {what} must be more than 0 US dollars.")
    return nano


def ceil_nano(cost: Decimal) -> int:
    """A cost in USD computed from prices, rounded up to the nano-dollar: never charged short.

    Raises InvalidAmountError if it is negative, not finite or above 1e9 USD.
    """
    if not cost.is_finite() or cost < 0 or cost > NANO_PER_USD:
        raise InvalidAmountError(f"The computed cost {cost} is not an amount from 0 to 1000000000 US dollars.")
    # Its own context, since a caller may have changed the usual one.
    return int(_CEILING.to_integral_value(_CEILING.scaleb(cost, 9)))


class ExactAmount(Decimal):
    """A whole number of nano-USD as a Decimal of USD; `parse` reads it without converting it once more."""

    __slots__ = ("nano",)
    nano: int

    @classmethod
    def of(cls, nano: int) -> ExactAmount:
        """So many nano-USD."""
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
    """Nano-USD as an exact Decimal of USD, without trailing zeros (``Decimal("9.8")``)."""
    return Decimal(to_text(nano))


def to_text(nano: int) -> str:
    """Nano-USD as the decimal text used in JSON: ``"10"``, ``"9.8"``, ``"0.0004"``, never an exponent."""
    sign = "-" if nano < 0 else ""
    whole, fraction = divmod(abs(nano), NANO_PER_USD)
    if not fraction:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{fraction:09d}".rstrip("0")


@lru_cache(maxsize=512)
def display(nano: int) -> str:
    """Nano-USD as users read it: at least two decimals, and never rounded, so ``$0.0004`` stays visible."""
    sign = "-" if nano < 0 else ""
    whole, fraction = divmod(abs(nano), NANO_PER_USD)
    if not fraction % _CENT:
        return f"{sign}${whole}.{fraction // _CENT:02d}"
    return f"{sign}${whole}.{fraction:09d}".rstrip("0")


def _plainly(value: object) -> int | None:
    # What most callers give, whole dollars, a float of a few digits or the text of one, is read several times faster
    # without Decimal. None says that it is not such an amount, and may be none at all.
    if type(value) is int:
        return value * NANO_PER_USD if 0 <= value <= NANO_PER_USD else None
    if type(value) is float and 0 <= value <= NANO_PER_USD:
        return _few_digits(value)
    if type(value) is str or type(value) is Decimal:
        return _plain_text(str(value))
    return None


def _plain_text(text: str) -> int | None:
    whole, point, fraction = text.partition(".")
    if not (text.isascii() and len(whole) <= 9 and whole.isdigit()):
        return None
    if not point:
        return int(whole) * NANO_PER_USD
    if len(fraction) <= 9 and fraction.isdigit():
        return int(whole) * NANO_PER_USD + int(fraction.ljust(9, "0"))
    return None


@lru_cache(maxsize=512)
def _few_digits(value: float) -> int | None:
    # Kept, since callers request the same few amounts over and over.
    whole, _, fraction = repr(value).partition(".")
    if len(fraction) <= 9 and fraction.isdigit():
        return int(whole) * NANO_PER_USD + int(fraction.ljust(9, "0"))
    return None


def _decimal(value: object, what: str) -> Decimal:
    if isinstance(value, bool):
        # bool is an int in Python; True dollars is always a mistake.
        raise InvalidAmountError(f"The {what} must be a number of US dollars, not {value!r}.")
    if isinstance(value, (numbers.Integral, Decimal)):
        return value if isinstance(value, Decimal) else Decimal(int(value))
    if isinstance(value, numbers.Real):
        # repr gives the digits the caller typed; Decimal(0.1) would give the binary expansion.
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
        # Python refuses to write out an int of many thousand digits, so its Decimal is written.
        text = str(Decimal(int(value))) if isinstance(value, numbers.Integral) else str(value)
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    text = value
    return repr(text) if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]!r}..."
