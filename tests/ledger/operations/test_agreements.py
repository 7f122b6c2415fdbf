from __future__ import annotations

import re
from typing import Any

import pytest

from aumos_governance.errors import ConsentNotFoundError, InvalidAmountError, InvalidRequestError
from aumos_governance.ledger.contract.agreements import (
    Evaluate,
    GrantConsent,
    Record,
    RemoveTrust,
    RevokeConsent,
    SetTrust,
    TouchTrust,
)
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditSums, CountAudit, FindTrust, ListConsents, ListTrust
from aumos_governance.types import GovernanceOutcome, TrustLevel
from tests.ledger.kit import (
    CENT,
    KERNEL,
    NOTEBOOK,
    OTHER,
    SECOND,
    USD,
    Backend,
    balance,
    budget,
    key,
    opening,
    records,
    spend,
)


def trust(agent_id: str, level: int, **values: Any) -> SetTrust:
    return SetTrust(
        **{"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "agent_id": agent_id, "level": TrustLevel(level)}
        | values
    )


def found(ledger: Ledger, agent_id: str, **values: Any) -> tuple[int, str | None] | None:
    response = ledger.read(FindTrust(agent_id=agent_id, **values))
    return None if response is None else (int(response.level), response.scope)


def consent(agent_id: str, data_type: str, purpose: str | None = None, **values: Any) -> GrantConsent:
    fields = {"agent_id": agent_id, "data_type": data_type, "purpose": purpose, "granted_by": "ann"}
    return GrantConsent(**{"key": key(), "origin": KERNEL, "notebook": NOTEBOOK} | fields | values)


def revoke(agent_id: str, data_type: str | None = None, purpose: str | None = None) -> RevokeConsent:
    return RevokeConsent(
        key=key(), origin=KERNEL, notebook=NOTEBOOK, agent_id=agent_id, data_type=data_type, purpose=purpose
    )


def evaluate(**values: Any) -> Evaluate:
    return Evaluate(**{"key": "", "origin": KERNEL, "notebook": NOTEBOOK, "agent_id": "a"} | values)


def log(**values: Any) -> Record:
    fields = {"event": "log", "outcome": GovernanceOutcome.DENY}
    return Record(**{"key": "", "origin": KERNEL, "notebook": NOTEBOOK} | fields | values)


def test_a_scoped_level_beats_the_one_everywhere(ledger: Ledger) -> None:
    assert found(ledger, "a") is None
    assigned = ledger.execute(trust("a", 3, assigned_by="ann"))
    assert (assigned.level, assigned.scope, assigned.assigned_by) == (TrustLevel.L3_ACT_APPROVE, None, "ann")
    ledger.execute(trust("a", 1, scope="files"))
    ledger.execute(trust("b", 5))
    assert found(ledger, "a") == (3, None)
    assert found(ledger, "a", scope="files") == (1, "files")
    assert found(ledger, "a", scope="mail") == (3, None)
    assert found(ledger, "a", realm="other") is None
    listed = ledger.read(ListTrust())
    assert [(entry.agent_id, entry.scope) for entry in listed] == [("a", None), ("a", "files"), ("b", None)]
    ledger.execute(trust("a", 2))
    assert found(ledger, "a") == (2, None)
    details = [record.detail for record in records(ledger, event="trust")]
    assert details[0] == {"scope": None, "from": None, "to": 3, "by": "ann", "realm": ""}
    assert details[-1] == {"scope": None, "from": 3, "to": 2, "by": None, "realm": ""}


def test_levels_are_touched_and_removed(backend: Backend) -> None:
    ledger = backend.open()

    def touch() -> bool:
        return ledger.execute(TouchTrust(key=key(), origin=KERNEL, agent_id="a"))

    def remove() -> bool:
        return ledger.execute(RemoveTrust(key=key(), origin=KERNEL, notebook=NOTEBOOK, agent_id="a"))

    assert touch() is False
    assert remove() is False
    assigned = ledger.execute(trust("a", 3))
    backend.clock.advance(SECOND)
    assert touch()
    touched = ledger.read(FindTrust(agent_id="a"))
    assert touched is not None
    assert touched.touched_at >= assigned.touched_at + SECOND
    assert touched.assigned_at == assigned.assigned_at
    assert remove()
    assert found(ledger, "a") is None
    assert not touch()
    assert not remove()
    assert ledger.read(ListTrust()) == ()
    ledger.execute(trust("a", 1))
    assert found(ledger, "a") == (1, None)
    assert len(records(ledger, event="trust")) == 3
    with pytest.raises(InvalidRequestError, match="agent_id must be a non-empty string"):
        ledger.execute(trust("", 1))


def test_consents_are_given_and_revoked(ledger: Ledger) -> None:
    ledger.execute(consent("a", "health_data", "care"))
    ledger.execute(consent("a", "health_data"))
    ledger.execute(consent("a", "location_data", until=10**17))
    ledger.execute(consent("b", "health_data"))
    listed = ledger.read(ListConsents(agent_id="a"))
    assert [(entry.data_type, entry.purpose) for entry in listed] == [
        ("health_data", None),
        ("health_data", "care"),
        ("location_data", None),
    ]
    assert listed[2].expires_at == 10**17
    assert ledger.execute(revoke("a", "health_data", "care")) == 1
    for absent in (revoke("a", "health_data", "care"), revoke("c", "health_data")):
        with pytest.raises(ConsentNotFoundError):
            ledger.execute(absent)
    assert ledger.execute(revoke("a")) == 2
    assert ledger.execute(revoke("a")) == 0
    assert ledger.read(ListConsents(agent_id="a")) == ()
    assert len(ledger.read(ListConsents())) == 1
    assert len(records(ledger, event="revoke")) == 3
    for field in ("agent_id", "data_type", "granted_by"):
        with pytest.raises(InvalidRequestError, match=f"{field} must be a non-empty string"):
            ledger.execute(consent(**{"agent_id": "a", "data_type": "d", field: ""}))


def test_an_action_is_checked_in_order_and_always_recorded(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    ledger.execute(budget("research", 10 * CENT))
    full = {
        "required_level": TrustLevel.L2_SUGGEST,
        "category": "research",
        "amount": 20 * CENT,
        "data_type": "health_data",
        "purpose": "care",
        "action_type": "read",
        "resource": "r1",
        "detail": {"extra": {"n": 1}},
    }
    codes = [ledger.execute(evaluate(**full)).code]
    ledger.execute(trust("a", 2))
    codes.append(ledger.execute(evaluate(**full)).code)
    caveat = ledger.execute(evaluate(**full, overdraft=True, default_deny=False))
    assert caveat.outcome is GovernanceOutcome.ALLOW_WITH_CAVEAT
    ledger.execute(budget("research", 50 * CENT, create=False))
    codes.append(ledger.execute(evaluate(**full)).code)
    ledger.execute(consent("a", "health_data", until=backend.clock.now + SECOND))
    assert ledger.execute(evaluate(**full)).allowed
    backend.clock.advance(2 * SECOND)
    codes.append(ledger.execute(evaluate(**full)).code)
    assert codes == ["TRUST_LEVEL_INSUFFICIENT", "BUDGET_EXCEEDED", "CONSENT_DENIED", "CONSENT_DENIED"]
    assert ledger.execute(evaluate(category="none", amount=1)).code == "BUDGET_NOT_FOUND"
    assert ledger.execute(evaluate()).allowed
    assert balance(ledger).spent == 0
    listed = records(ledger, event="evaluate")
    assert len(listed) == 8
    assert listed[0].detail == {"extra": {"n": 1}}
    assert (listed[0].action_type, listed[0].resource, listed[0].agent_id) == ("read", "r1", "a")
    assert records(ledger, action_type="read", resource="r1") == listed[:6]
    assert records(ledger, resource="r2") == []
    assert ledger.verify().ok


def test_evaluations_outside_a_session_are_in_the_ledgers_chain(ledger: Ledger) -> None:
    assert [ledger.execute(evaluate(**values)).code for values in ({}, {"amount": 1})] == ["NO_SESSION", "NO_SESSION"]
    assert [record.chain for record in records(ledger, notebook=NOTEBOOK)] == ["ledger", "ledger"]


def test_a_decision_that_names_no_agent_is_the_session_s(ledger: Ledger) -> None:
    ledger.execute(log())
    session_id = ledger.execute(opening(agent_id="bot")).state.session_id
    ledger.execute(log())
    ledger.execute(log(agent_id="x"))
    assert [record.chain for record in records(ledger, event="log")] == ["ledger", session_id, session_id]
    assert [record.agent_id for record in records(ledger, event="log")] == [None, "bot", "x"]


def test_what_an_agent_may_is_recorded_in_the_chain_of_the_session_that_is_open(ledger: Ledger) -> None:
    def chains() -> list[str]:
        ledger.execute(trust("a", 1))
        ledger.execute(consent("a", "mail"))
        ledger.execute(revoke("a", "mail"))
        ledger.execute(RemoveTrust(key=key(), origin=KERNEL, notebook=NOTEBOOK, agent_id="a"))
        newest = records(ledger, session_id="ledger")[-4:] if session is None else records(ledger)[-4:]
        assert [record.event for record in newest] == ["trust", "consent", "revoke", "trust"]
        return [record.chain for record in newest]

    session = None
    assert chains() == ["ledger"] * 4
    session = ledger.execute(opening()).state.session_id
    assert chains() == [session] * 4


@pytest.mark.parametrize("amount", [1 << 63, -(1 << 63) - 1, 0.5, True])
def test_a_decision_about_what_is_no_amount_is_not_recorded(ledger: Ledger, amount: Any) -> None:
    ledger.execute(opening())
    with pytest.raises(InvalidRequestError, match="amount must be a whole number"):
        ledger.execute(log(amount=amount))
    assert records(ledger, event="log") == []


def test_other_decisions_can_be_recorded(ledger: Ledger) -> None:
    ledger.execute(opening())
    detail = {"ü": [1, None, True, "\u2028"]}
    recorded = ledger.execute(log(reasons=("a", "b"), agent_id="x", detail=detail))
    record = records(ledger, agent_id="x")[0]
    assert (record.record_id, record.at) == (recorded.record_id, recorded.at)
    assert record.reasons == ("a", "b")
    assert record.detail == detail
    for wrong in (float("nan"), object(), "\ud800"):
        with pytest.raises(InvalidRequestError):
            ledger.execute(
                Record(
                    key="",
                    origin=KERNEL,
                    notebook=NOTEBOOK,
                    event="log",
                    outcome=GovernanceOutcome.DENY,
                    detail={"x": wrong},
                )
            )
    assert ledger.verify().ok


# ---- sums


def test_records_are_counted_and_summed(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening(agent_id="a", budget=1 * USD))
    ledger.execute(opening(OTHER))
    for tool, cents in (("x", 1), ("y", 2), ("x", 3)):
        ledger.execute(spend(cents * CENT, tool=tool))
    ledger.execute(spend(2 * USD, tool="y"))
    backend.clock.advance(86_400 * SECOND)
    ledger.execute(spend(5 * CENT, OTHER, tool="x"))
    assert ledger.read(CountAudit()) == 7
    assert ledger.read(CountAudit(tool="x", notebook=NOTEBOOK)) == 2
    assert ledger.read(CountAudit(outcome=GovernanceOutcome.DENY)) == 1

    def sums(**values: Any) -> list[tuple[str, int, int, int]]:
        return [(s.name, s.records, s.denied, s.spent // CENT) for s in ledger.read(AuditSums(**values))]

    assert sums(by="tool") == [("x", 3, 0, 9), ("y", 2, 1, 2)]
    assert sums(by="tool", notebook=NOTEBOOK, outcome=GovernanceOutcome.ALLOW) == [
        ("x", 2, 0, 4),
        ("y", 1, 0, 2),
    ]
    assert sums(by="agent") == [("a", 5, 1, 6)]
    assert sums(by="day") == [("2026-09-21", 6, 1, 6), ("2026-09-22", 1, 0, 5)]
    assert sums(by="day", tool="none") == []
    assert sum(total[3] for total in sums(by="hour")) == sum(total[3] for total in sums(by="minute")) == 11
    assert [total[0][:10] for total in sums(by="hour")] == ["2026-09-21", "2026-09-22"]
    assert all(re.fullmatch(r"2026-09-2[12]T\d\d:\d\dZ", total[0]) for total in sums(by="minute"))
    with pytest.raises(InvalidRequestError, match="tool, agent, day"):
        ledger.read(AuditSums(by="week"))


# ---- checks at their edges


@pytest.mark.parametrize(
    ("values", "code", "limit"),
    [
        ({"amount": 50 * CENT, "category": "research"}, None, None),
        ({"amount": 50 * CENT + 1, "category": "research"}, "BUDGET_EXCEEDED", ("category", "research")),
        ({"amount": 80 * CENT}, None, None),
        ({"amount": 80 * CENT + 1}, "BUDGET_EXCEEDED", ("session", "")),
        ({"amount": 0, "category": "research"}, None, None),
        ({"amount": 0, "category": "none"}, "BUDGET_NOT_FOUND", ("category", "none")),
        ({"required_level": TrustLevel.L2_SUGGEST}, None, None),
        ({"required_level": TrustLevel.L3_ACT_APPROVE}, "TRUST_LEVEL_INSUFFICIENT", ("agent", "a")),
        ({"data_type": "mail"}, "CONSENT_DENIED", None),
        ({"data_type": "mail", "default_deny": False}, None, None),
        ({"data_type": "mail", "amount": 80 * CENT + 1, "overdraft": True}, "CONSENT_DENIED", None),
    ],
    ids=str,
)
def test_each_check_of_an_evaluation_binds_at_its_limit(
    ledger: Ledger, values: dict[str, Any], code: str | None, limit: tuple[str, str] | None
) -> None:
    ledger.execute(opening(budget=1 * USD))
    ledger.execute(budget("research", 60 * CENT))
    ledger.execute(trust("a", 2))
    ledger.execute(spend(10 * CENT))
    ledger.execute(spend(10 * CENT, category="research"))
    decision = ledger.execute(evaluate(**values))
    assert decision.code == code
    assert decision.outcome is (GovernanceOutcome.ALLOW if code is None else GovernanceOutcome.DENY)
    assert decision.amount == values.get("amount", 0)
    assert (None if decision.limit is None else (decision.limit.kind, decision.limit.name)) == limit
    (recorded,) = records(ledger, event="evaluate")
    assert (recorded.code, recorded.outcome, recorded.reasons) == (code, decision.outcome, decision.reasons)
    assert (recorded.amount, recorded.agent_id) == (decision.amount, "a")


def test_what_an_evaluation_finds_left_is_of_the_innermost_budget(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    ledger.execute(budget("research", 60 * CENT))
    ledger.execute(spend(10 * CENT, category="research"))
    assert "$0.50 left" in ledger.execute(evaluate(amount=CENT, category="research")).reasons[-1]
    assert "$0.90 left" in ledger.execute(evaluate(amount=CENT)).reasons[-1]


@pytest.mark.parametrize("amount", [-1, True, 1.0, 10**18 + 1])
def test_an_evaluation_of_what_is_no_amount_is_refused(ledger: Ledger, amount: Any) -> None:
    ledger.execute(opening())
    with pytest.raises(InvalidAmountError):
        ledger.execute(evaluate(amount=amount))
    assert records(ledger, event="evaluate") == []
    assert ledger.execute(evaluate(amount=10**18, overdraft=True)).code == "BUDGET_EXCEEDED"


def test_within_a_session_no_agent_may_do_more_than_the_session(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE, agent_id="bot"))
    allowed = {"required_level": TrustLevel.L3_ACT_APPROVE, "realm": None, "default_level": TrustLevel.L5_AUTONOMOUS}
    denied = allowed | {"required_level": TrustLevel.L4_ACT_REPORT}
    for agent_id in ("", "other"):
        assert ledger.execute(evaluate(**allowed, agent_id=agent_id)).allowed
        decision = ledger.execute(evaluate(**denied, agent_id=agent_id))
        assert decision.code == "TRUST_LEVEL_INSUFFICIENT"
        assert decision.limit is not None
        assert decision.limit.kind == "level"
        assert len(decision.reasons) == 1
    assert [record.agent_id for record in records(ledger, event="evaluate")] == ["bot", "bot", "other", "other"]
    with pytest.raises(InvalidRequestError, match="agent_id"):
        ledger.execute(evaluate(agent_id=""))


def test_an_event_of_the_ledger_s_own_cannot_be_recorded(ledger: Ledger) -> None:
    ledger.execute(opening())
    for event in ("spend", "open", "settle"):
        with pytest.raises(InvalidRequestError, match="cannot be"):
            ledger.execute(log(event=event))
    assert records(ledger, event="spend") == []
