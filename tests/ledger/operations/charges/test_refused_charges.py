"""What is refused at once, whatever waits, an overdraft or an approval would have allowed."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import BudgetNotFoundError, InvalidRequestError
from aumos_governance.ledger.contract.charges import Checks
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.types import ActionKind, GovernanceOutcome, TrustLevel
from tests.ledger.charges import hold
from tests.ledger.kit import CENT, USD, Backend, balance, opening, records, spend

CHECKS = Checks()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"required_level": TrustLevel.L3_ACT_APPROVE}, "TRUST_LEVEL_INSUFFICIENT"),
        ({"kind": ActionKind.ACT}, "SUGGESTED"),
        ({"category": "mail", "checks": CHECKS}, "BUDGET_NOT_FOUND"),
        ({"checks": Checks(data_type="mail")}, "CONSENT_DENIED"),
    ],
    ids=str,
)
@pytest.mark.parametrize("waits", [{"waits_at_limit": True}, {"waits_turn": True}, {"waits": True}], ids=str)
def test_only_a_limit_on_money_is_worth_waiting_for(
    ledger: Ledger, values: dict[str, Any], code: str, waits: dict[str, bool]
) -> None:
    ledger.execute(opening(budget=USD))
    decision = ledger.execute(hold(CENT, **values, **waits))
    assert (decision.allowed, decision.undecided, decision.code) == (False, False, code)
    record = records(ledger)[-1]
    assert (record.record_id, record.outcome, record.code) == (decision.record_id, GovernanceOutcome.DENY, code)


@pytest.mark.parametrize("charge", [spend, hold])
@pytest.mark.parametrize("name", ["approval", "approval_used", "until"])
def test_a_detail_may_not_state_what_a_verification_derives_rows_from(ledger: Ledger, charge: Any, name: str) -> None:
    ledger.execute(opening(budget=USD))
    with pytest.raises(InvalidRequestError, match=f"'{name}'"):
        ledger.execute(charge(CENT, detail={"model": "m", name: "x"}))
    assert balance(ledger).remaining == USD
    assert [record.event for record in records(ledger)] == ["open"]
    assert ledger.execute(charge(CENT, detail={"model": "m"})).allowed
    assert ledger.verify().ok


def test_what_would_wait_for_an_approval_and_needs_none_is_decided(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    for amount, outcome in ((CENT, GovernanceOutcome.ALLOW), (2 * USD, GovernanceOutcome.DENY)):
        assert ledger.execute(hold(amount, waits=True)).outcome is outcome
        assert records(ledger)[-1].outcome is outcome


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"required_level": TrustLevel.L3_ACT_APPROVE}, "TRUST_LEVEL_INSUFFICIENT"),
        ({"kind": ActionKind.ACT}, "SUGGESTED"),
        ({"category": "mail"}, "BUDGET_NOT_FOUND"),
    ],
    ids=str,
)
def test_an_overdraft_is_of_a_budget_and_of_nothing_else(ledger: Ledger, values: dict[str, Any], code: str) -> None:
    ledger.execute(opening(budget=CENT))
    denied = ledger.execute(hold(2 * CENT, checks=Checks(overdraft=True), **values))
    assert (denied.outcome, denied.code) == (GovernanceOutcome.DENY, code)


@pytest.mark.parametrize("amount", [CENT, 2 * CENT])
def test_an_overdraft_needs_the_consent_all_the_same(ledger: Ledger, amount: int) -> None:
    ledger.execute(opening(budget=CENT))
    denied = ledger.execute(hold(amount, checks=Checks(overdraft=True, data_type="mail")))
    assert (denied.outcome, denied.code) == (GovernanceOutcome.DENY, "CONSENT_DENIED")
    lenient = Checks(overdraft=True, data_type="mail", default_deny=False)
    assert ledger.execute(hold(amount, checks=lenient)).allowed


def test_what_was_paid_already_is_charged_where_an_overdraft_is_allowed(ledger: Ledger) -> None:
    ledger.execute(opening(budget=CENT))
    decision = ledger.execute(spend(2 * CENT, already_paid=True, checks=Checks(overdraft=True)))
    assert (decision.allowed, decision.overrun) == (True, True)
    assert balance(ledger).spent == 2 * CENT


def test_what_was_paid_already_is_not_charged_to_a_budget_that_is_not_there(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    denied = ledger.execute(spend(CENT, already_paid=True, category="mail", checks=CHECKS))
    assert (denied.allowed, denied.code, denied.charge_id) == (False, "BUDGET_NOT_FOUND", None)
    assert balance(ledger).spent == 0
    assert records(ledger)[-1].spent_delta == 0
    assert ledger.verify().ok


@pytest.mark.parametrize("session", [True, False])
def test_an_approval_of_what_is_refused_was_not_used(ledger: Ledger, session: bool) -> None:
    if session:
        ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    denied = ledger.execute(hold(CENT, kind=ActionKind.ACT, approval_id="none", digest="d1"))
    assert not denied.allowed
    detail = records(ledger)[-1].detail
    assert (detail["approval"], detail["approval_used"]) == ("none", False)


@pytest.mark.parametrize("bounds", [{}, {"least": 1}])
def test_a_budget_that_is_not_there_is_an_error_or_denied(ledger: Ledger, bounds: dict[str, int]) -> None:
    ledger.execute(opening(budget=USD))
    with pytest.raises(BudgetNotFoundError):
        ledger.execute(hold(CENT, category="mail", **bounds))
    denied = ledger.execute(hold(CENT, category="mail", checks=CHECKS, **bounds))
    assert (denied.allowed, denied.code) == (False, "BUDGET_NOT_FOUND")
    assert balance(ledger).held == 0


def test_the_refusal_of_an_agent_s_level_names_the_scope(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD, trust_level=TrustLevel.L4_ACT_REPORT))
    checks = Checks(scope="mail", default_level=TrustLevel.L1_MONITOR)
    denied = ledger.execute(hold(CENT, agent_id="a", required_level=TrustLevel.L2_SUGGEST, checks=checks))
    assert "in scope 'mail'" in denied.reasons[0]
    unscoped = Checks(default_level=TrustLevel.L1_MONITOR)
    denied = ledger.execute(hold(CENT, agent_id="a", required_level=TrustLevel.L2_SUGGEST, checks=unscoped))
    assert "scope" not in denied.reasons[0]


def test_without_an_agent_the_session_s_own_level_counts(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD, trust_level=TrustLevel.L4_ACT_REPORT))
    checks = Checks(default_level=TrustLevel.L1_MONITOR)
    for values in ({}, {"checks": checks}):
        decision = ledger.execute(hold(CENT, required_level=TrustLevel.L4_ACT_REPORT, **values))
        assert (decision.allowed, decision.level) == (True, TrustLevel.L4_ACT_REPORT)


def test_a_hold_that_is_named_by_its_caller_has_that_name(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    assert ledger.execute(hold(CENT, hold_id="mine")).charge_id == "mine"
    assert ledger.execute(hold(CENT)).charge_id not in {None, "mine"}
