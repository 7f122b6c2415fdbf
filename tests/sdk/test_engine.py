from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any

import pytest

from aumos_governance import (
    BudgetConfig,
    ConfigurationError,
    ConsentConfig,
    GovernanceAction,
    GovernanceConfig,
    GovernanceEngine,
    GovernanceOutcome,
    LedgerError,
    TrustLevel,
)
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.requests import ChangeSession, CloseSession
from aumos_governance.ledger.contract.terms import SessionTerms
from tests.sdk.conftest import MakeEngine

BY_USER = Origin("ann", person=True)
FULL = GovernanceAction(
    agent_id="a",
    required_trust_level=TrustLevel.L2_SUGGEST,
    budget_category="llm",
    budget_amount=5.0,
    data_type="user_data",
    purpose="support",
    action_type="tool_call",
    resource="mail",
    extra={"model": "m"},
)


def allow_all(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", TrustLevel.L3_ACT_APPROVE)
    engine.budget.create_budget("llm", limit=10.0)
    engine.consent.record_consent("a", "user_data", "support", granted_by="ann")


def test_checks_that_are_not_requested_are_skipped(engine: GovernanceEngine) -> None:
    decision = engine.evaluate_sync(GovernanceAction(agent_id="a"))
    assert (decision.outcome, decision.allowed, decision.reasons) == (GovernanceOutcome.ALLOW, True, [])


def test_all_checks_pass(engine: GovernanceEngine) -> None:
    allow_all(engine)
    decision = engine.evaluate_sync(FULL)
    assert decision.allowed is True
    assert decision.outcome == "allow"
    assert decision.action is FULL
    assert decision.reasons == [
        "Agent 'a' has trust level L3, and L2 is needed",
        "Budget 'llm' has $10.00 left, and $5.00 is requested",
        "'ann' lets agent 'a' use 'user_data'",
    ]


def test_the_first_check_that_fails_denies(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", limit=1.0)
    first = engine.evaluate_sync(FULL)
    engine.trust.set_level("a", 2)
    second = engine.evaluate_sync(FULL)
    engine.budget.set_limit("llm", 10)
    third = engine.evaluate_sync(FULL)
    assert [decision.allowed for decision in (first, second, third)] == [False, False, False]
    assert [len(decision.reasons) for decision in (first, second, third)] == [1, 2, 3]
    assert first.reasons[-1].startswith("Agent 'a' has trust level L1")
    assert second.reasons[-1] == "Would exceed budget 'llm' ($5.00 > $1.00)"
    assert third.reasons[-1] == "No consent lets agent 'a' use 'user_data' for 'support'"


def test_a_check_charges_nothing(engine: GovernanceEngine) -> None:
    allow_all(engine)
    for _ in range(5):
        assert engine.evaluate_sync(FULL).allowed
    assert engine.budget.balance("llm").spent == 0


def test_every_decision_is_one_record(engine: GovernanceEngine) -> None:
    allow_all(engine)
    decisions = [
        engine.evaluate_sync(FULL),
        engine.evaluate_sync(GovernanceAction("b", 5)),
        engine.evaluate_sync(GovernanceAction("b", budget_category="none", budget_amount=1)),
    ]
    records = engine.audit.query().records
    assert [record.record_id for record in records] == [decision.audit_record_id for decision in decisions]
    assert [record.outcome for record in records] == ["allow", "deny", "deny"]
    assert [record.reasons for record in records] == [decision.reasons for decision in decisions]
    context = records[0].context
    assert (context.agent_id, context.action_type, context.resource) == ("a", "tool_call", "mail")
    assert (context.budget_category, context.data_type, context.purpose) == ("llm", "user_data", "support")
    assert context.extra == {"model": "m"}
    assert records[1].decision == "Agent 'b': deny"
    assert engine.realm.ledger.verify().ok


def test_a_refusal_of_the_caller_s_own_is_a_denial_on_record(engine: GovernanceEngine) -> None:
    allow_all(engine)
    action = dataclasses.replace(FULL, tool="my-model")
    decision = engine.record_refusal(action, "PRICE_UNKNOWN", "No price is known.")
    assert (decision.outcome, decision.allowed, decision.reasons) == ("deny", False, ["No price is known."])
    (record,) = engine.audit.query().records
    assert (record.record_id, record.outcome, record.reasons) == (decision.audit_record_id, "deny", decision.reasons)
    assert (record.context.agent_id, record.context.budget_category, record.context.extra) == ("a", "llm", FULL.extra)
    entry = list(engine.audit.entries())[-1]
    assert (entry.event, entry.code, entry.tool, entry.action_type) == (
        *("evaluate", "PRICE_UNKNOWN"),
        *("my-model", "tool_call"),
    )
    assert (entry.amount, entry.spent_delta, entry.held_delta) == (0, 0, 0)
    balance = engine.budget.balance("llm")
    assert (balance.spent, balance.held) == (0, 0)
    with pytest.raises(ValueError, match="agent_id"):
        engine.record_refusal(GovernanceAction(""), "PRICE_UNKNOWN", "No price is known.")
    assert engine.audit.count() == 1
    assert engine.realm.ledger.verify().ok


def test_a_scope_counts(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", 4, scope="prod")
    assert engine.evaluate_sync(GovernanceAction("a", 3, scope="prod")).allowed is True
    assert engine.evaluate_sync(GovernanceAction("a", 3)).allowed is False


def test_the_configuration_counts(make_engine: MakeEngine) -> None:
    lenient = make_engine(
        GovernanceConfig(budget=BudgetConfig(allow_overdraft=True), consent=ConsentConfig(default_deny=False))
    )
    lenient.budget.create_budget("llm", 1)
    decision = lenient.evaluate_sync(
        GovernanceAction("a", budget_category="llm", budget_amount=2, data_type="user_data")
    )
    assert (decision.outcome, decision.allowed) == (GovernanceOutcome.ALLOW_WITH_CAVEAT, True)
    strict = make_engine()
    assert strict.evaluate_sync(decision.action).allowed is False


def test_awaited_and_called_they_decide_alike(engine: GovernanceEngine) -> None:
    async def both() -> tuple[Any, Any]:
        return await engine.evaluate(FULL), engine.evaluate_sync(FULL)

    awaited, called = asyncio.run(both())
    assert (awaited.outcome, awaited.reasons, awaited.action) == (called.outcome, called.reasons, called.action)
    allow_all(engine)
    assert asyncio.run(engine.evaluate(FULL)).allowed is True
    assert engine.audit.count() == 3


def test_while_a_disk_is_written_the_loop_goes_on(tmp_path: Path) -> None:
    with GovernanceEngine(ledger=f"sqlite:///{tmp_path / 'e.db'}") as engine:

        async def many() -> list[bool]:
            decisions = await asyncio.gather(*(engine.evaluate(GovernanceAction("a", 1)) for _ in range(100)))
            return [decision.allowed for decision in decisions]

        assert asyncio.run(many()) == [True] * 100
        assert engine.audit.count() == 100
        assert engine.realm.ledger.verify().ok


@pytest.mark.parametrize(
    "values",
    [
        {"agent_id": ""},
        {"agent_id": None},
        {"required_trust_level": 6},
        {"required_trust_level": "L2"},
        {"budget_amount": -1},
        {"budget_amount": "much"},
        {"agent_id": "a\0"},
        {"resource": "\ud800"},
    ],
)
def test_an_action_that_makes_no_sense_is_an_error(engine: GovernanceEngine, values: dict[str, Any]) -> None:
    action = GovernanceAction(**{"agent_id": "a", "budget_category": "llm"} | values)
    with pytest.raises(ValueError, match=r"\w"):
        engine.evaluate_sync(action)
    with pytest.raises(ValueError, match=r"\w"):
        asyncio.run(engine.evaluate(action))
    assert engine.audit.count() == 0
    assert engine.evaluate_sync(GovernanceAction("a")).allowed
    assert engine.realm.ledger.verify().ok


def test_facts_are_frozen(engine: GovernanceEngine) -> None:
    decision = engine.evaluate_sync(FULL)
    for fact, field in ((FULL, "agent_id"), (decision, "allowed"), (engine.audit.latest(1)[0], "outcome")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(fact, field, "x")


def test_engines_on_one_ledger_share_their_state(make_engine: MakeEngine) -> None:
    first, second = make_engine(), make_engine()
    allow_all(first)
    second.budget.record_spending("llm", 6)
    assert first.evaluate_sync(FULL).allowed is False
    assert second.audit.count() == 1


def test_private_engines_share_nothing() -> None:
    first, second = GovernanceEngine(), GovernanceEngine(ledger="memory://")
    allow_all(first)
    assert second.evaluate_sync(FULL).allowed is False


def test_state_outlives_the_engine(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'e.db'}"
    with GovernanceEngine(ledger=url) as engine:
        allow_all(engine)
        engine.budget.record_spending("llm", 6)
        head = engine.realm.ledger.verify().heads
    with GovernanceEngine(ledger=url) as engine:
        assert engine.budget.balance("llm").spent == 6
        assert engine.trust.get_level("a") == 3
        assert engine.consent.check_consent("a", "user_data", "support").granted
        assert engine.evaluate_sync(FULL).allowed is False
        kept = next(value for chain, value in head.items() if chain != "ledger")
        assert engine.realm.ledger.verify(known_head=kept).ok


def test_a_closed_engine_allows_nothing(tmp_path: Path) -> None:
    engine = GovernanceEngine(ledger=f"sqlite:///{tmp_path / 'e.db'}")
    assert engine.evaluate_sync(GovernanceAction("a")).allowed
    engine.close()
    with pytest.raises(LedgerError):
        engine.evaluate_sync(GovernanceAction("a"))


def test_a_ledger_that_was_given_is_left_open() -> None:
    ledger = open_ledger("memory://")
    with GovernanceEngine(ledger=ledger) as engine:
        engine.trust.set_level("a", 4)
    assert GovernanceEngine(ledger=ledger).trust.get_level("a") == 4
    ledger.close()


def test_a_url_that_names_no_ledger() -> None:
    with pytest.raises(ConfigurationError):
        GovernanceEngine(ledger="mysql://somewhere")


def test_what_a_user_did_to_the_session_binds_the_engine(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", 5)
    realm = engine.realm
    realm.ledger.execute(
        ChangeSession(
            key="", origin=BY_USER, notebook=realm.notebook, terms=SessionTerms(), trust_level=TrustLevel.L1_MONITOR
        )
    )
    lowered = engine.evaluate_sync(GovernanceAction("a", 3))
    assert lowered.allowed is False
    assert "at L1" in lowered.reasons[-1]
    realm.ledger.execute(CloseSession(key="", origin=BY_USER, notebook=realm.notebook, terms=SessionTerms()))
    closed = engine.evaluate_sync(GovernanceAction("a"))
    assert closed.allowed is False
    assert closed.reasons[-1] == "This engine's governance session was closed; a new engine opens the next one"
    assert engine.audit.latest(1)[0].record_id == closed.audit_record_id
