"""The reasons for which a charge is refused: each rule at its limits."""

from __future__ import annotations

import pytest

from aumos_governance.ledger.contract.facts import Limit, Origin
from aumos_governance.ledger.rules.verdicts import (
    Refusal,
    action_refusal,
    agent_refusal,
    level_refusal,
    no_budget,
    no_consent,
    no_session,
    over_budget,
)
from aumos_governance.types import ActionKind, TrustLevel

LEVELS = list(TrustLevel)


@pytest.mark.parametrize("required", LEVELS)
@pytest.mark.parametrize("actual", LEVELS)
def test_a_call_needs_its_level(required: TrustLevel, actual: TrustLevel) -> None:
    refusal = level_refusal(ActionKind.CALL, required, actual)
    if actual >= required:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.code == "TRUST_LEVEL_INSUFFICIENT"
        assert refusal.limit == Limit("level", "", int(required), int(actual))
        assert refusal.reason.startswith("A call needs trust level")


@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize("required", LEVELS)
@pytest.mark.parametrize("actual", LEVELS)
def test_an_act_is_suggested_below_and_needs_a_user_at_level_3(
    required: TrustLevel, actual: TrustLevel, approved: bool
) -> None:
    refusal = action_refusal(required, actual, approved=approved)
    if actual in {TrustLevel.L1_MONITOR, TrustLevel.L2_SUGGEST}:
        expected: str | None = "SUGGESTED"
    elif actual == TrustLevel.L0_OBSERVER or actual < required:
        expected = "TRUST_LEVEL_INSUFFICIENT"
    elif actual == TrustLevel.L3_ACT_APPROVE and not approved:
        expected = "APPROVAL_REQUIRED"
    else:
        expected = None
    assert (refusal and refusal.code) == expected
    if expected == "TRUST_LEVEL_INSUFFICIENT":
        assert refusal is not None
        least = max(required, TrustLevel.L1_MONITOR)
        assert refusal.limit == Limit("level", "", int(least), int(actual))
        assert refusal.reason.startswith("A governed action needs trust level")


def test_each_refusal_names_its_code_and_the_limit_that_binds() -> None:
    engine, notebook = no_session(Origin("engine")), no_session(Origin("kernel"))
    assert (engine.code, notebook.code) == ("NO_SESSION", "NO_SESSION")
    assert "%governance" in notebook.reason
    assert "%governance" not in engine.reason
    assert agent_refusal("bot", 3, 1, None) == Refusal(
        "TRUST_LEVEL_INSUFFICIENT",
        "Agent 'bot' has trust level L1 (Monitor), and this needs L3 (Act (Approval Required))",
        Limit("agent", "bot", 3, 1),
    )
    assert "in scope 'mail'" in agent_refusal("bot", 3, 1, "mail").reason
    assert no_consent("bot", "mail", None) == Refusal("CONSENT_DENIED", "No consent lets agent 'bot' use 'mail'")
    assert no_consent("bot", "mail", "ads").reason == "No consent lets agent 'bot' use 'mail' for 'ads'"
    assert no_budget("llm") == Refusal("BUDGET_NOT_FOUND", "There is no budget 'llm'", Limit("category", "llm"))
    assert over_budget(3_000_000_000, 2_000_000_000, "budget 'llm'", "category", "llm") == Refusal(
        "BUDGET_EXCEEDED",
        "Would exceed budget 'llm' ($3.00 > $2.00)",
        Limit("category", "llm", 3_000_000_000, 2_000_000_000),
    )
