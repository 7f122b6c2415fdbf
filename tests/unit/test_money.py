from __future__ import annotations

import copy
import json
import numbers
import pickle
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aumos_governance import money
from aumos_governance.errors import InvalidAmountError

SAMPLES = json.loads((Path(__file__).parent.parent / "protocol" / "money.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["nano"])
def test_both_sides_write_amounts_alike(sample: dict[str, str]) -> None:
    nano = int(sample["nano"])
    assert money.to_text(nano) == sample["decimal"]
    assert money.display(nano) == sample["display"]
    assert money.to_decimal(nano) == Decimal(sample["decimal"])


@pytest.mark.parametrize(
    ("value", "nano"),
    [
        (0, 0),
        (1, 10**9),
        ("0.05", 50_000_000),
        (" $0.05 ", 50_000_000),
        ("1e-9", 1),
        ("0.000000001", 1),
        ("1.0000000000", 10**9),
        (Decimal("9.800"), 9_800_000_000),
        (0.1 * 3, 300_000_000),
        (0.1 + 0.2, 300_000_000),
        (0.0, 0),
        (-0.0, 0),
        (1e9, 10**18),
        ("1000000000", 10**18),
        (0.0000000015, 2),
        (0.0000000025, 2),
        (0.1234567891, 123_456_789),
        (123.0000000016, 123_000_000_002),
        ("999999999.999999999", 10**18 - 1),
        ("0.5", 500_000_000),
        ("7", 7 * 10**9),
        ("0" * 63 + "1", 10**9),
        (Fraction(1, 2), 500_000_000),
    ],
)
def test_amounts_are_read_exactly(value: Any, nano: int) -> None:
    assert money.parse(value) == nano


class Labelled:
    """An object that is not an amount, although its text is."""

    def __str__(self) -> str:
        return "5"


@pytest.mark.parametrize(
    "value",
    [
        "nan", "inf", "-inf", float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"),
        -1, "-0.01", -0.01, Decimal(-1),
        1_000_000_001, "1000000001", "1000000000.000000001", 1_000_000_000.5, 1e300, 10**5000, "1e999999",
        "0.0000000001", Decimal("1e-10"), "1.2345678901", Fraction(1, 3), 1e-10, 5e-324,
        "abc", "", "$", "$$1", "1,5", "1_000", "٣", "0x10", "1 2", None, b"1", [], True, False, 1j, object(), "9" * 65,
        "0" * 64 + "1", Labelled(),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_amount_is_one_clear_sentence(value: Any) -> None:
    with pytest.raises(InvalidAmountError) as raised:
        money.parse(value, what="budget")
    text = raised.value.message
    assert text.startswith("The budget ")
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 250


@pytest.mark.parametrize(
    "value", [0, 1, 10**9, 0.0, 0.25, 0.123456789, "7", "0.5", "123456789.123456789", Decimal("2.50")], ids=str
)
def test_common_amounts_are_read_without_decimal_arithmetic(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = int(Decimal(str(value)).scaleb(9))
    money._parse_float.cache_clear()
    monkeypatch.setattr(money, "_decimal", None)
    assert money.parse(value) == expected


class Float64(float):
    """Like NumPy's type: a float whose repr is not a number."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)})"


@numbers.Integral.register
class Int64:
    """Like NumPy's type: registered as an Integral, but not an int."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __int__(self) -> int:
        return self.value


def test_numbers_of_other_libraries_are_numbers() -> None:
    assert money.parse(Float64(0.1)) == 100_000_000
    assert money.parse(Int64(3)) == 3 * 10**9
    assert money.parse(Fraction(1, 4)) == 250_000_000
    for value in (Float64("nan"), Int64(-1), Int64(10**10)):
        with pytest.raises(InvalidAmountError):
            money.parse(value)


def test_a_charge_must_be_more_than_nothing() -> None:
    assert money.parse_positive("0.000000001") == 1
    with pytest.raises(InvalidAmountError, match="more than 0"):
        money.parse_positive(0)


def test_the_callers_decimal_context_does_not_matter() -> None:
    with localcontext() as context:
        context.prec = 3
        assert money.parse("123456.789012345000") == 123_456_789_012_345
        assert money.ceil_nano(Decimal("123456.7890123451")) == 123_456_789_012_346


@pytest.mark.parametrize(
    ("cost", "nano"),
    [
        ("0", 0),
        ("0.0000000001", 1),
        ("0.000000001", 1),
        ("0.0000000011", 2),
        ("1.0000000001", 10**9 + 1),
        ("1e9", 10**18),
    ],
)
def test_costs_are_rounded_up(cost: str, nano: int) -> None:
    assert money.ceil_nano(Decimal(cost)) == nano


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "-0.1", "1000000000.1"])
def test_what_cannot_be_a_cost_is_refused(cost: str) -> None:
    with pytest.raises(InvalidAmountError, match="computed cost"):
        money.ceil_nano(Decimal(cost))


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=money.MAX_NANO))
def test_text_and_decimals_go_there_and_back(nano: int) -> None:
    assert money.parse(money.to_text(nano)) == nano
    assert money.parse(money.to_decimal(nano)) == nano
    assert money.parse(money.display(nano)) == nano


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**6))
def test_cents_as_floats_are_exact(cents: int) -> None:
    assert money.parse(cents / 100) == cents * 10**7


@settings(deadline=None)
@given(st.one_of(st.integers(0, 10**9), st.floats(1e-9, 1e9), st.decimals("0.000000001", 10**9, places=9).map(float)))
def test_a_number_means_what_its_digits_say(number: float) -> None:
    rounded = Decimal(repr(number)).quantize(Decimal("1e-9"), rounding=ROUND_HALF_EVEN)
    assert money.parse(number) == money.parse(rounded)


@settings(deadline=None)
@given(st.integers(-(10**18), 10**18), st.sampled_from([1, 10**6, 10**7, 10**9]))
def test_what_is_shown_is_exact(nano: int, unit: int) -> None:
    shown = money.display(nano // unit * unit)
    assert money.to_text(nano // unit * unit) in (
        shown.replace("$", ""),
        shown.replace("$", "").rstrip("0").rstrip("."),
    )
    assert len(shown.partition(".")[2]) >= 2


@settings(deadline=None)
@given(st.decimals(0, 10**9, places=12, allow_nan=False))
def test_a_cost_is_never_charged_short_nor_a_nano_dollar_above(cost: Decimal) -> None:
    with localcontext() as context:
        context.prec = 80
        assert 0 <= Decimal(money.ceil_nano(cost)) - cost * money.NANO_PER_USD < 1


@settings(deadline=None)
@given(
    st.integers(0, 10**18), st.sampled_from(["", "$", " ", " $"]), st.integers(0, 12), st.sampled_from([str, Decimal])
)
def test_an_amount_is_the_same_however_it_is_written(nano: int, before: str, zeros: int, kind: type) -> None:
    text = f"{nano // 10**9}.{nano % 10**9:09d}{'0' * zeros}"
    assert money.parse(kind(text) if kind is Decimal else before + text) == nano


@settings(deadline=None)
@given(st.text("0123456789.$-+e _", max_size=24))
def test_a_text_is_read_as_decimal_reads_it_or_refused(text: str) -> None:
    try:
        nano = money.parse(text)
    except InvalidAmountError:
        return
    assert "_" not in text
    assert Decimal(nano).scaleb(-9) == Decimal(text.strip().removeprefix("$"))


@pytest.mark.parametrize("nano", [0, 1, 10**9, 123_456_789, 10**18])
def test_an_exact_amount_is_its_nano_dollars_however_it_is_copied(nano: int) -> None:
    amount = money.ExactAmount.of(nano)
    assert (money.parse(amount), amount) == (nano, money.to_decimal(nano))
    for copied in (copy.copy(amount), copy.deepcopy(amount), pickle.loads(pickle.dumps(amount))):
        assert (copied, money.parse(copied)) == (amount, nano)
