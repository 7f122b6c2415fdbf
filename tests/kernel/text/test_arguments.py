"""Parsing a magic's line."""

from __future__ import annotations

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.kernel.text.arguments import Flag, Signature, Valued, split

SPEND = Signature("governance_spend", (Valued("--tool", "NAME"), Flag("--already-paid"), Flag("--no-raise")), "AMOUNT")
STATUS = Signature("governance_status")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("   \t ", []),
        ("0.05 --tool gpt-4o", ["0.05", "--tool", "gpt-4o"]),
        ("0.05  # before the call", ["0.05"]),
        ("# only a comment, isn't it", []),
        ("0.05 --tool gpt#4", ["0.05", "--tool", "gpt#4"]),
        ("0.05 --tool '#1 model'", ["0.05", "--tool", "#1 model"]),
        ('0.05 --tool "my tool" ', ["0.05", "--tool", "my tool"]),
        ('--tool="it\'s" 1', ["--tool=it's", "1"]),
        ("--tool ''", ["--tool", ""]),
        (r"--tool a\b", ["--tool", r"a\b"]),
    ],
)
def test_words_quotes_and_comments(line: str, words: list[str]) -> None:
    assert split(line) == words


@pytest.mark.parametrize("line", ['0.05 --tool "gpt', "it's", "0.05 'a' 'b"])
def test_an_open_quote_is_refused(line: str) -> None:
    with pytest.raises(InvalidRequestError, match="quote is opened and not closed"):
        split(line)


def test_options_come_in_any_order_and_either_form() -> None:
    for line in ("0.05 --tool gpt-4o --no-raise", "--no-raise --tool=gpt-4o 0.05", "--tool gpt-4o 0.05 --no-raise"):
        arguments = SPEND.parse(line)
        assert arguments.positional == "0.05"
        assert arguments.values == {"--tool": "gpt-4o"}
        assert arguments.flags == {"--no-raise"}


@pytest.mark.parametrize("amount", ["-1", "-0.05", "-inf", "-$5", "nan", "abc", "$0.05", "1e-05"])
def test_an_amount_is_handed_on_as_it_was_typed(amount: str) -> None:
    assert SPEND.parse(amount).positional == amount
    assert Signature("governance", (Valued("--budget", "USD"),)).parse(f"--budget {amount}").values == {
        "--budget": amount
    }


def test_a_missing_amount_is_for_the_caller_to_refuse() -> None:
    assert SPEND.parse("--tool gpt-4o").positional is None


@pytest.mark.parametrize(
    ("signature", "line", "why"),
    [
        (SPEND, "0.05 0.06", "does not take the argument '0.06'"),
        (STATUS, "now", "does not take the argument 'now'"),
        (SPEND, "0.05 --bogus", "has no option '--bogus'"),
        (SPEND, "0.05 --tol gpt-4o", "did you mean --tool"),
        (SPEND, "0.05 --tool", "--tool needs a value"),
        (SPEND, "0.05 --tool --no-raise", "--tool needs a value"),
        (SPEND, "0.05 --tool=", "--tool needs a value"),
        (SPEND, "0.05 --tool a --tool b", "--tool is given twice"),
        (SPEND, "0.05 --no-raise --no-raise", "--no-raise is given twice"),
        (SPEND, "0.05 --no-raise=yes", "--no-raise takes no value"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(signature: Signature, line: str, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why) as caught:
        signature.parse(line)
    assert f"%{signature.magic}" in caught.value.message
    assert "\n" not in caught.value.message


def test_the_usage_names_everything() -> None:
    assert SPEND.usage() == "%governance_spend AMOUNT [--tool NAME] [--already-paid] [--no-raise]"
    assert STATUS.usage() == "%governance_status"
