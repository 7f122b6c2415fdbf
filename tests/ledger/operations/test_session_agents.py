"""Agents within one session: their levels, and the reports of their actions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aumos_governance.errors import NotAllowedError, NotFoundError
from aumos_governance.ledger.contract.agreements import (
    AcknowledgeReport,
    AskApproval,
    Consent,
    Evaluate,
    FileReport,
    FinishReport,
    GrantConsent,
    RemoveTrust,
    Report,
    RevokeConsent,
    SetTrust,
    session_realm,
)
from aumos_governance.ledger.contract.budgets import SetBudget
from aumos_governance.ledger.contract.charges import Checks, Hold, Spend
from aumos_governance.ledger.contract.facts import Decision, Limit
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery, ListReports, ListTrust
from aumos_governance.ledger.contract.requests import ChangeSession
from aumos_governance.types import ActionKind, TrustLevel
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    NOTEBOOK,
    OTHER,
    TERMS,
    USD,
    Backend,
    key,
    opening,
)

L0, L1, L2, L3, L4, L5 = list(TrustLevel)


def give(ledger: Ledger, level: TrustLevel, agent: str = "planner", **values: Any) -> None:
    given = {"agent_id": agent, "level": level, "realm": None} | values
    ledger.execute(SetTrust(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given))


def take(ledger: Ledger, **values: Any) -> bool:
    given = {"agent_id": "planner", "realm": None} | values
    return ledger.execute(RemoveTrust(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given))


def hold(ledger: Ledger, agent: str | None = "planner", **values: Any) -> Decision:
    request = Hold(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=CENT, agent_id=agent, **values)
    return ledger.execute(request)


def test_the_lower_of_the_sessions_and_the_agents_level_counts(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L4))
    assert hold(ledger).level == L4
    give(ledger, L1)
    denied = hold(ledger, required_level=L2)
    assert (denied.code, denied.level) == ("TRUST_LEVEL_INSUFFICIENT", L1)
    assert denied.reasons[0].startswith("Agent 'planner' has trust level L1")
    assert hold(ledger, "writer", required_level=L2).allowed
    assert hold(ledger, kind=ActionKind.ACT).code == "SUGGESTED"
    spend = Spend(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=CENT, agent_id="planner", required_level=L2)
    assert ledger.execute(spend).code == "TRUST_LEVEL_INSUFFICIENT"
    ledger.execute(ChangeSession(key=key(), origin=BY_USER, notebook=NOTEBOOK, terms=TERMS, trust_level=L0))
    assert hold(ledger).level == L0


def test_the_sessions_own_agent_is_bound_too(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L4, agent_id="planner"))
    give(ledger, L0)
    denied = hold(ledger, None)
    assert (denied.code, denied.limit) == ("TRUST_LEVEL_INSUFFICIENT", Limit("agent", "planner", 1, 0))


def test_a_level_in_a_scope_goes_before_the_one_everywhere(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L4))
    give(ledger, L3)
    give(ledger, L1, scope="mail")
    scoped = Checks(realm=None, scope="mail", default_level=L5)
    assert (hold(ledger).level, hold(ledger, checks=scoped).level) == (L3, L1)


def test_what_is_checked_follows_the_same_levels(ledger: Ledger) -> None:
    state = ledger.execute(opening(budget=1 * USD, trust_level=L4, agent_id="planner")).state
    give(ledger, L1)

    def check(agent: str, required: TrustLevel) -> Decision:
        return ledger.execute(
            Evaluate(
                key=key(),
                origin=KERNEL,
                notebook=NOTEBOOK,
                agent_id=agent,
                required_level=required,
                realm=None,
                default_level=L5,
            )
        )

    assert not check("planner", L2).allowed
    assert not check("", L2).allowed, "the session's agent, where none is named"
    assert check("writer", L4).reasons == ("Agent 'writer' has trust level L4, and L4 is needed",)
    assert check("writer", L5).code == "TRUST_LEVEL_INSUFFICIENT"
    assert [found.level for found in ledger.read(ListTrust(realm=session_realm(state.session_id or "")))] == [L1]
    newest = ledger.read(AuditQuery(notebook=NOTEBOOK, event="evaluate")).records
    assert [record.agent_id for record in newest] == ["writer", "writer", "planner", "planner"]


def test_no_agent_is_given_more_than_the_session_has(ledger: Ledger) -> None:
    with pytest.raises(NotFoundError, match="needs an open governance session"):
        give(ledger, L1)
    ledger.execute(opening(budget=1 * USD, trust_level=L3))
    with pytest.raises(NotAllowedError, match=r"L4 is above L3, the session's, so agent 'planner' cannot"):
        give(ledger, L4)
    give(ledger, L2)
    give(ledger, L3)
    give(ledger, L1)
    with pytest.raises(NotAllowedError, match="trust level of agent 'planner' above L1"):
        give(ledger, L2, tighten_only=True)
    with pytest.raises(NotAllowedError, match="trust level of agent 'planner' above L1"):
        take(ledger, tighten_only=True)
    with pytest.raises(NotAllowedError, match="trust level of agent 'planner' above L1"):
        give(ledger, L3, scope="mail", tighten_only=True)
    # A level that the agent has already is not raised.
    give(ledger, L1, tighten_only=True)
    give(ledger, L1, scope="mail", tighten_only=True)
    give(ledger, L0, scope="mail", tighten_only=True)
    with pytest.raises(NotAllowedError, match="trust level of agent 'planner' above L0"):
        take(ledger, scope="mail", tighten_only=True)
    assert take(ledger)
    assert not take(ledger)


def test_levels_end_with_their_session(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L4))
    give(ledger, L0)
    ledger.execute(opening(budget=1 * USD, trust_level=L4, new=True))
    assert hold(ledger).level == L4


def test_consents_within_the_session(ledger: Ledger) -> None:
    def give(**values: Any) -> Consent:
        given = {
            "agent_id": "planner",
            "data_type": "mail",
            "purpose": None,
            "granted_by": "ann",
            "realm": None,
        } | values
        return ledger.execute(GrantConsent(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given))

    with pytest.raises(NotFoundError, match="needs an open governance session"):
        give()
    ledger.execute(opening(budget=1 * USD, trust_level=L4, agent_id="planner"))
    requests = Checks(realm=None, default_level=L5, data_type="mail", purpose="support")
    assert hold(ledger, None, checks=requests).code == "CONSENT_DENIED"
    give(purpose="support")
    assert hold(ledger, None, checks=requests).allowed
    assert hold(ledger, "writer", checks=requests).code == "CONSENT_DENIED"
    revoke = RevokeConsent(key=key(), origin=KERNEL, notebook=NOTEBOOK, agent_id="planner", realm=None)
    assert ledger.execute(revoke) == 1
    assert hold(ledger, None, checks=requests).code == "CONSENT_DENIED"
    give()
    ledger.execute(opening(budget=1 * USD, trust_level=L4, agent_id="planner", new=True))
    assert hold(ledger, None, checks=requests).code == "CONSENT_DENIED", "it ended with its session"


def test_a_budget_that_may_only_be_tightened(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))

    def limit(ceiling: int, **values: Any) -> None:
        given = {"category": "gpt", "ceiling": ceiling} | values
        ledger.execute(SetBudget(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given))

    limit(50 * CENT, tighten_only=True)
    limit(40 * CENT, create=False, tighten_only=True)
    with pytest.raises(NotAllowedError, match=r"'gpt' cannot be raised above its present \$0.40"):
        limit(41 * CENT, create=False, tighten_only=True)


def filed(ledger: Ledger) -> Report:
    return ledger.execute(
        FileReport(key=key(), origin=KERNEL, notebook=NOTEBOOK, shown='{"code":"rm","result":null}', tool="shell")
    )


def finish(ledger: Ledger, report_id: str, **values: Any) -> Report:
    given = {"notebook": NOTEBOOK, "result": "done"} | values
    return ledger.execute(FinishReport(key=key(), origin=KERNEL, report_id=report_id, **given))


def test_a_report_states_how_its_act_ended(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L4))
    report = filed(ledger)
    reported = finish(ledger, report.report_id, spent="0.25")
    assert json.loads(reported.shown or "") == {"code": "rm", "result": "done", "spent": "0.25"}
    (listed,) = ledger.read(ListReports(owner=NOTEBOOK.owner, root=NOTEBOOK.root))
    assert listed == reported
    newest = ledger.read(AuditQuery(notebook=NOTEBOOK, limit=1)).records[0]
    assert (newest.event, dict(newest.detail)) == ("report", {"report": report.report_id, "finished": True})


def test_a_report_that_was_acknowledged_too_early_is_shown_again(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L4))
    report = filed(ledger)
    ledger.execute(AcknowledgeReport(key=key(), origin=BY_USER, report_id=report.report_id))
    again = finish(ledger, report.report_id, result="failed")
    assert (again.acknowledged_at, json.loads(again.shown or "")) == (None, {"tool": "shell", "result": "failed"})
    assert len(ledger.read(ListReports(owner=NOTEBOOK.owner, root=NOTEBOOK.root))) == 1


def test_no_caller_writes_into_anothers_report(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, trust_level=L4))
    ledger.execute(opening(notebook=OTHER))
    report = filed(ledger)
    for wrong in ({"report_id": "none"}, {"report_id": report.report_id, "notebook": OTHER}):
        with pytest.raises(NotFoundError, match="There is no report"):
            finish(ledger, **wrong)


def test_no_response_that_is_kept_holds_what_a_user_was_shown(backend: Backend) -> None:
    first = backend.open()
    first.execute(opening(budget=1 * USD))
    request = AskApproval(key=key(), origin=KERNEL, notebook=NOTEBOOK, digest="d", shown='{"code":"secret"}')
    requested = first.execute(request)
    again = first.execute(request)
    assert (requested.shown, again.shown, again.approval_id) == ('{"code":"secret"}', None, requested.approval_id)
