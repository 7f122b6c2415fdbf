"""The message of a denial: what was requested, what is left, which ceiling is too low, what the user can do."""

from __future__ import annotations

import pytest

from aumos_governance.ledger.rules.verdicts import over_budget
from aumos_governance.wire.denials import Denial

CENT = 10_000_000


def test_a_budget_too_small_is_stated_with_its_figures() -> None:
    reasons = ("Agent 'a' has trust level L2, and L1 is needed", over_budget(1020 * CENT, 1000 * CENT).reason)
    assert Denial("BUDGET_EXCEEDED", reasons, "gpt-4o", 40 * CENT, 20 * CENT, "session").sentence() == (
        "DENIED: Would exceed budget ($10.20 > $10.00); $0.40 for gpt-4o was requested and $0.20 is left;"
        " raise the budget with %governance --budget, or lower the request."
    )


def test_a_ceiling_around_the_session_is_not_stated_with_the_sessions_figures() -> None:
    refusal = over_budget(400 * CENT, 300 * CENT, "the monthly ceiling 'class-5'", "group", "class-5")
    assert Denial(refusal.code, (refusal.reason,), "gpt-4o", 100 * CENT, 900 * CENT, "group").sentence() == (
        "DENIED: Would exceed the monthly ceiling 'class-5' ($4.00 > $3.00); $1.00 for gpt-4o was requested;"
        " ask the administrator of that limit to raise it, or lower the request."
    )


@pytest.mark.parametrize("in_panel", [False, True])
def test_a_budget_that_code_sets_is_raised_by_code_alone(in_panel: bool) -> None:
    refusal = over_budget(70 * CENT, 50 * CENT, "the budget 'llm'", "category", "llm")
    denial = Denial(refusal.code, (refusal.reason,), "gpt-4o", 70 * CENT, 900 * CENT, "category", in_panel=in_panel)
    assert denial.sentence() == (
        "DENIED: Would exceed the budget 'llm' ($0.70 > $0.50); $0.70 for gpt-4o was requested;"
        " raise that budget in the code that sets it, or lower the request."
    )


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("TRUST_LEVEL_INSUFFICIENT", "; raise the trust level with %governance --trust-level."),
        ("APPROVAL_TIMEOUT", "; run the cell again to request approval again."),
        ("NO_SESSION", "."),
        (None, "."),
    ],
)
def test_what_a_user_can_do(code: str | None, end: str) -> None:
    assert Denial(code, ("Why not",), "t").sentence() == f"DENIED: Why not{end}"


def test_where_there_is_a_panel_no_command_is_advised_that_may_be_refused() -> None:
    reasons = ("Would exceed budget",)
    own = Denial("BUDGET_EXCEEDED", reasons, "t", CENT, 0, "session", "ann", in_panel=True).sentence()
    assert own.endswith("raise the budget, which ann set, in the Governance panel, or lower the request.")
    for code in ("BUDGET_EXCEEDED", "TRUST_LEVEL_INSUFFICIENT", "SUGGESTED"):
        sentence = Denial(code, reasons, "t", CENT, 0, "session", in_panel=True).sentence()
        assert "in the Governance panel" in sentence
        assert "%governance" not in sentence


def test_a_denial_may_have_advice_of_its_own() -> None:
    assert Denial("NO_SESSION", ("Why not",), "t").sentence("ask ann") == "DENIED: Why not; ask ann."


def test_what_comes_from_elsewhere_cannot_reverse_the_line() -> None:
    reasons = Denial("BUDGET_EXCEEDED", ("Would exceed budget \x1b[2J",), "t\u202e", CENT).sentence()
    assert reasons.isprintable()
