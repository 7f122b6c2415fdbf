"""Evaluations: which agent's level applies, which limits it, and the reason of each check."""

from __future__ import annotations

import re
from typing import Any

from aumos_governance.ledger.contract.agreements import Evaluate, GrantConsent, SetTrust
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.types import GovernanceOutcome, TrustLevel
from tests.ledger.kit import CENT, KERNEL, NOTEBOOK, USD, key, opening


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
