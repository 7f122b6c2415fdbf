"""Holds that are checked against an agent's own level and consents in the same transaction."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import BudgetNotFoundError
from aumos_governance.ledger.contract.agreements import AskApproval, DecideApproval, GrantConsent, SetTrust
from aumos_governance.ledger.contract.budgets import SetBudget
from aumos_governance.ledger.contract.charges import Checks, Hold, Settle
from aumos_governance.ledger.contract.facts import Limit
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery, CountAudit
from aumos_governance.types import ActionKind, BudgetPeriod, GovernanceOutcome, TrustLevel
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    NOTEBOOK,
    USD,
    balance,
    key,
    opening,
    records,
)

L1, L2, L3, L4, L5 = list(TrustLevel)[1:]


def hold(amount: int = 10 * CENT, *, checks: Checks | None = None, **values: Any) -> Hold:
    given = {"agent_id": "planner", "checks": checks or Checks(realm="ann", default_level=L1)} | values
    return Hold(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=amount, **given)


def trust(ledger: Ledger, level: TrustLevel, scope: str | None = None) -> None:
    ledger.execute(
        SetTrust(key=key(), origin=KERNEL, notebook=NOTEBOOK, agent_id="planner", level=level, scope=scope, realm="ann")
    )


def test_the_lower_of_both_levels_counts(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L4))
    denied = ledger.execute(hold(required_level=L2))
    assert (denied.allowed, denied.code, denied.level) == (False, "TRUST_LEVEL_INSUFFICIENT", L1)
    assert "Agent 'planner' has trust level L1" in denied.reasons[0]
    trust(ledger, L5)
    allowed = ledger.execute(hold(required_level=L2))
    assert (allowed.allowed, allowed.level, allowed.reasons) == (True, L4, ())
    above = ledger.execute(hold(required_level=L5))
    assert (above.allowed, above.level) == (False, L4)
    assert "this notebook is at L4" in above.reasons[0]
    trust(ledger, L1, "mail")
    scoped = Checks(realm="ann", default_level=L1, scope="mail")
    assert ledger.execute(hold(required_level=L2, checks=scoped)).allowed is False
    unrequested = Checks(realm="ann", scope="mail")
    assert ledger.execute(hold(required_level=L2, checks=unrequested)).level == L4
    assert balance(ledger).held == 20 * CENT


def test_an_act_lives_by_the_agents_level(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L5))
    trust(ledger, L2)
    assert ledger.execute(hold(kind=ActionKind.ACT, required_level=L2)).code == "SUGGESTED"
    trust(ledger, L3)
    assert ledger.execute(hold(kind=ActionKind.ACT, required_level=L3)).code == "APPROVAL_REQUIRED"
    approval = ledger.execute(
        AskApproval(key=key(), origin=KERNEL, notebook=NOTEBOOK, digest="d", shown="{}", tool="mail")
    )
    ledger.execute(
        DecideApproval(key=key(), origin=BY_USER, approval_id=approval.approval_id, digest="d", approve=True)
    )
    approved = hold(kind=ActionKind.ACT, required_level=L3, approval_id=approval.approval_id, digest="d")
    assert ledger.execute(approved).allowed


def test_a_budget_that_is_not_there_is_denied_and_recorded(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    denied = ledger.execute(hold(category="mail"))
    assert (denied.allowed, denied.code) == (False, "BUDGET_NOT_FOUND")
    assert denied.reasons == ("There is no budget 'mail'",)
    assert denied.limit == Limit("category", "mail")
    assert records(ledger)[-1].record_id == denied.record_id
    unchecked = Hold(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=CENT, category="mail")
    with pytest.raises(BudgetNotFoundError):
        ledger.execute(unchecked)


def test_consent_is_checked_last(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    health = Checks(realm="ann", data_type="health_data", purpose="care")
    assert ledger.execute(hold(2 * USD, checks=health)).code == "BUDGET_EXCEEDED"
    denied = ledger.execute(hold(checks=health))
    assert (denied.allowed, denied.code, balance(ledger).held) == (False, "CONSENT_DENIED", 0)
    lenient = Checks(realm="ann", data_type="health_data", default_deny=False)
    assert ledger.execute(hold(checks=lenient)).allowed
    ledger.execute(
        GrantConsent(
            key=key(),
            origin=KERNEL,
            notebook=NOTEBOOK,
            agent_id="planner",
            data_type="health_data",
            purpose=None,
            granted_by="ann",
            realm="ann",
        )
    )
    assert ledger.execute(hold(checks=health)).allowed


def test_an_overdraft_is_allowed_and_holds_nothing(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    over = ledger.execute(hold(2 * USD, checks=Checks(overdraft=True)))
    assert (over.outcome, over.code, over.charge_id) == ("allow_with_caveat", "BUDGET_EXCEEDED", None)
    assert balance(ledger).held == 0
    assert records(ledger)[-1].held_delta == 0
    within = ledger.execute(hold(CENT, checks=Checks(overdraft=True)))
    assert (within.outcome, within.charge_id is None) == (GovernanceOutcome.ALLOW, False)


def test_what_is_requested_is_recorded_with_its_detail(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    ledger.execute(
        SetBudget(
            key=key(),
            origin=KERNEL,
            notebook=NOTEBOOK,
            category="llm",
            ceiling=USD,
            period=BudgetPeriod.DAILY,
            create=True,
        )
    )
    ledger.execute(hold(category="llm", detail={"scope": "mail"}))
    assert records(ledger)[-1].detail == {"scope": "mail", "category": "llm"}
    decided = ledger.read(AuditQuery(notebook=NOTEBOOK, decisions=True))
    assert [record.event for record in decided.records] == ["hold"]
    assert ledger.read(CountAudit(notebook=NOTEBOOK, decisions=True)) == 1


def test_a_settlement_that_is_a_guess_says_so(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    held = ledger.execute(hold(10 * CENT))
    requested = Settle(key=key(), origin=KERNEL, hold_id=held.charge_id or "", amount=10 * CENT, estimated=True)
    resolved = ledger.execute(requested)
    assert (resolved.estimated, resolved.overrun, resolved.spent) == (True, False, 10 * CENT)
    assert ledger.execute(requested) == resolved
    record = records(ledger)[-1]
    assert (record.outcome, record.detail) == ("allow_with_caveat", {"estimated": True})
    assert record.reasons == ("Estimated: $0.10 is counted, and what was truly spent is not known",)
    both = ledger.execute(hold(CENT))
    ledger.execute(Settle(key=key(), origin=KERNEL, hold_id=both.charge_id or "", amount=2 * CENT, estimated=True))
    assert records(ledger)[-1].detail == {"overrun": True, "estimated": True}
