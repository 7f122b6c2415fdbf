"""Evaluations: which agent's level applies, which limits it, and the reason of each check."""

from __future__ import annotations

import re
from typing import Any

from aumos_governance.ledger.contract.agreements import Evaluate, GrantConsent, SetTrust
from aumos_governance.ledger.contract.facts import Limit
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.types import BudgetPeriod, GovernanceOutcome, TrustLevel
from tests.ledger.charges import hold
from tests.ledger.kit import CENT, KERNEL, NOTEBOOK, USD, budget, closing, key, opening, records, spend


def trust(agent_id: str, level: int, **values: Any) -> SetTrust:
    given = {"agent_id": agent_id, "level": TrustLevel(level)} | values
    return SetTrust(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given)


def consent(agent_id: str, data_type: str, **values: Any) -> GrantConsent:
    given = {"agent_id": agent_id, "data_type": data_type, "purpose": None, "granted_by": "ann"} | values
    return GrantConsent(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given)


def evaluate(**values: Any) -> Evaluate:
    return Evaluate(**{"key": "", "origin": KERNEL, "notebook": NOTEBOOK, "agent_id": "a"} | values)


def test_an_overdraft_is_of_a_budget_that_is_there_and_of_nothing_else(ledger: Ledger) -> None:
    ledger.execute(opening(budget=CENT, trust_level=TrustLevel.L2_SUGGEST))
    over = ledger.execute(evaluate(amount=2 * CENT, overdraft=True))
    assert (over.outcome, over.code) == (GovernanceOutcome.ALLOW_WITH_CAVEAT, "BUDGET_EXCEEDED")
    for values, code in (
        ({"category": "mail"}, "BUDGET_NOT_FOUND"),
        ({"required_level": TrustLevel.L3_ACT_APPROVE}, "TRUST_LEVEL_INSUFFICIENT"),
        ({"data_type": "health_data"}, "CONSENT_DENIED"),
    ):
        denied = ledger.execute(evaluate(amount=2 * CENT, overdraft=True, **values))
        assert (denied.outcome, denied.code) == (GovernanceOutcome.DENY, code)
    ledger.execute(consent("a", "mail"))
    consented = ledger.execute(evaluate(amount=2 * CENT, overdraft=True, data_type="mail"))
    assert (consented.outcome, consented.code) == (GovernanceOutcome.ALLOW_WITH_CAVEAT, "BUDGET_EXCEEDED")
    assert consented.limit == over.limit


def test_an_evaluation_that_names_no_agent_is_of_the_session_s(ledger: Ledger) -> None:
    ledger.execute(opening(agent_id="bot", trust_level=TrustLevel.L4_ACT_REPORT))
    ledger.execute(consent("bot", "mail", realm=None))
    ledger.execute(trust("bot", 2, realm=None))
    allowed = ledger.execute(evaluate(agent_id="", realm=None, data_type="mail"))
    assert (allowed.allowed, allowed.code) == (True, None)
    assert ledger.execute(evaluate(agent_id="x", realm=None, data_type="mail")).code == "CONSENT_DENIED"
    assert ledger.execute(evaluate(agent_id="", realm=None, required_level=TrustLevel.L2_SUGGEST)).allowed
    assert not ledger.execute(evaluate(agent_id="", realm=None, required_level=TrustLevel.L3_ACT_APPROVE)).allowed


def test_the_level_that_an_evaluation_reports_is_the_agent_s_own_in_a_realm(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L4_ACT_REPORT))
    ledger.execute(trust("a", 5))
    within = {"realm": None, "default_level": TrustLevel.L5_AUTONOMOUS}
    for values, level in (({}, "L5"), (within, "L4")):
        found = ledger.execute(evaluate(required_level=TrustLevel.L3_ACT_APPROVE, **values))
        assert found.allowed
        assert [re.findall(r"L\d", reason) for reason in found.reasons] == [[level, "L3"]]


def test_an_evaluation_has_a_reason_for_each_check_that_allows_it(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    ledger.execute(consent("a", "mail"))
    for data_type in ("mail", "health_data"):
        found = ledger.execute(
            evaluate(required_level=TrustLevel.L1_MONITOR, amount=CENT, data_type=data_type, default_deny=False)
        )
        trusted, affordable, consented = found.reasons
        assert found.allowed
        assert "'a'" in trusted
        assert "$0.01" in affordable
        assert repr(data_type) in consented


def test_a_budget_that_nothing_was_charged_to_has_all_of_it_left(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    ledger.execute(budget("daily", 10 * CENT, period=BudgetPeriod.DAILY))
    found = ledger.execute(evaluate(amount=10 * CENT, category="daily"))
    assert found.allowed
    assert found.reasons == ("Budget 'daily' has $0.10 left, and $0.10 is requested",)
    assert not ledger.execute(evaluate(amount=10 * CENT + 1, category="daily")).allowed


def test_what_is_held_counts_as_what_is_spent(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    ledger.execute(spend(20 * CENT))
    ledger.execute(hold(30 * CENT))
    assert "$0.50 left" in ledger.execute(evaluate(amount=50 * CENT)).reasons[-1]
    denied = ledger.execute(evaluate(amount=50 * CENT + 1))
    assert denied.limit == Limit("session", "", USD + 1, USD)


def test_where_nothing_is_left_nothing_is_left(ledger: Ledger) -> None:
    ledger.execute(opening(budget=CENT))
    ledger.execute(spend(CENT))
    found = ledger.execute(evaluate(amount=0))
    assert found.tool == ""
    assert (found.allowed, found.reasons) == (True, ("The budget has $0.00 left, and $0.00 is requested",))


def test_what_does_not_fit_is_stated_with_what_it_would_come_to(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    ledger.execute(spend(30 * CENT))
    for overdraft in (False, True):
        found = ledger.execute(evaluate(amount=80 * CENT, overdraft=overdraft, action_type="read"))
        assert found.reasons == ("Would exceed budget ($1.10 > $1.00)",)
        assert found.limit == Limit("session", "", 110 * CENT, USD)
        assert (found.amount, found.tool) == (80 * CENT, "read")
        assert records(ledger)[-1].reasons == found.reasons


def test_an_evaluation_without_any_agent_is_bound_by_the_session_alone(ledger: Ledger) -> None:
    requested = {"agent_id": "", "realm": None, "default_level": TrustLevel.L1_MONITOR}
    assert ledger.execute(evaluate(**requested)).code == "NO_SESSION"
    assert records(ledger)[-1].agent_id is None
    session_id = ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE)).state.session_id
    allowed = ledger.execute(evaluate(required_level=TrustLevel.L3_ACT_APPROVE, **requested))
    assert (allowed.allowed, allowed.reasons) == (True, ())
    assert records(ledger)[-1].chain == session_id
    denied = ledger.execute(evaluate(required_level=TrustLevel.L4_ACT_REPORT, **requested))
    assert denied.limit is not None
    assert denied.limit.kind == "level"


def test_a_session_that_is_closed_allows_nothing_more(ledger: Ledger) -> None:
    ledger.execute(opening(agent_id="bot"))
    ledger.execute(closing())
    denied = ledger.execute(evaluate(agent_id="", realm=None, amount=1))
    assert (denied.allowed, denied.code) == (False, "NO_SESSION")
    assert (records(ledger)[-1].chain, records(ledger)[-1].agent_id) == ("ledger", None)


def test_a_level_in_a_scope_is_named_with_its_scope(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L4_ACT_REPORT))
    ledger.execute(trust("a", 1, scope="mail"))
    denied = ledger.execute(evaluate(required_level=TrustLevel.L2_SUGGEST, scope="mail"))
    assert "in scope 'mail'" in denied.reasons[-1]
