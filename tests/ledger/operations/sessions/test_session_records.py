"""What the audit trail says of a session, in full, in its own chain and in the ledger's, and who is notified."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.ledger.contract.budgets import EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.types import TrustLevel
from tests.ledger.charges import hold
from tests.ledger.kit import BY_USER, CENT, NOTEBOOK, SERVER, USD, change, closing, opening, records, spend, state
from tests.ledger.rich import configure

L2, L4 = TrustLevel.L2_SUGGEST, TrustLevel.L4_ACT_REPORT
VALUES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"trust_level": L4}, {"trust_level": {"from": 2, "to": 4, "was_set_by": "kernel"}}),
    ({"budget": USD}, {"budget": {"from": "10", "to": "1", "was_set_by": "kernel"}}),
    ({"agent_id": "b"}, {"agent_id": {"from": "a", "to": "b"}}),
]


@pytest.mark.parametrize("by_user", [True, False])
def test_an_opening_is_recorded_with_all_values_and_who_set_them(ledger: Ledger, by_user: bool) -> None:
    request: Any = change if by_user else opening
    opened = ledger.execute(request(trust_level=L4, budget=3 * USD, agent_id="a"))
    actor = "ann" if by_user else "kernel"
    assert (opened.opened, opened.changed, opened.notes) == (True, False, ())
    own, shared = records(ledger)[-1], records(ledger, session_id="ledger")[-1]
    assert (own.event, own.chain, own.actor, own.agent_id) == ("open", opened.state.session_id, actor, "a")
    assert own.detail == {
        "trust_level": 4,
        "trust_set_by": actor,
        "trust_by_person": by_user,
        "budget": "3",
        "budget_set_by": actor,
        "budget_by_person": by_user,
    }
    assert (shared.event, shared.chain, shared.actor) == ("open", "ledger", actor)
    assert shared.detail == {
        "session": own.chain,
        "count": 1,
        "head": own.hash,
        "around": "",
        "root": NOTEBOOK.root,
    }
    found = opened.state
    assert (found.trust_set_by, found.trust_by_person, found.budget_set_by, found.budget_by_person) == (
        actor,
        by_user,
        actor,
        by_user,
    )
    assert found.opened_at == own.at
    assert found == state(ledger)


@pytest.mark.parametrize("by_user", [True, False])
@pytest.mark.parametrize(("values", "steps"), VALUES, ids=str)
def test_a_change_is_recorded_with_what_changed_and_with_nothing_else(
    ledger: Ledger, values: dict[str, Any], steps: dict[str, Any], by_user: bool
) -> None:
    before = ledger.execute(opening(agent_id="a")).state
    request: Any = change if by_user else opening
    after = ledger.execute(request(**values))
    actor = "ann" if by_user else "kernel"
    (name,) = steps
    more = {"by": actor} | ({} if name == "agent_id" else {"by_person": by_user})
    record = records(ledger)[-1]
    assert (record.event, record.actor, record.chain) == ("change", actor, before.session_id)
    assert record.detail == {name: {**steps[name], **more}}
    assert record.agent_id == values.get("agent_id", "a")
    found = state(ledger)
    assert (after.opened, after.changed, after.state) == (False, True, found)
    assert found.seq == before.seq + 1
    assert found.trust_by_person is (by_user and name == "trust_level")
    assert found.budget_by_person is (by_user and name == "budget")
    assert found.trust_set_by == (actor if name == "trust_level" else "kernel")
    assert found.budget_set_by == (actor if name == "budget" else "kernel")
    assert found.balance is not None
    figures = (found.trust_level, found.balance.limit, found.agent_id)
    expected = {"trust_level": L2, "budget": 10 * USD, "agent_id": "a"} | values
    assert figures == (expected["trust_level"], expected["budget"], expected["agent_id"])
    assert ledger.verify().ok


@pytest.mark.parametrize("held", [0, CENT])
def test_an_end_is_recorded_with_the_last_figures_in_both_chains(ledger: Ledger, held: int) -> None:
    session_id = ledger.execute(opening(budget=USD, agent_id="a")).state.session_id
    ledger.execute(spend(3 * CENT))
    if held:
        ledger.execute(hold(held))
    seq = state(ledger).seq
    closed = ledger.execute(closing(origin=BY_USER))
    own = records(ledger, session_id=session_id)[-1]
    shared = records(ledger, session_id="ledger")[-1]
    assert (own.event, own.actor, own.agent_id) == ("close", "ann", "a")
    assert own.detail == {"spent": "0.03", "budget": "1"} | ({"held": "0.01"} if held else {})
    assert (shared.event, shared.actor) == ("close", "ann")
    assert shared.detail == {"session": session_id, "count": own.seq, "head": own.hash}
    assert (closed.active, closed.closed_at, closed.seq) == (False, own.at, seq + 1)
    assert closed.previous is not None
    assert (closed.previous.sessions, closed.previous.spent, closed.previous.budget) == (1, 3 * CENT, USD)
    assert closed.previous.closed_at == own.at


def test_what_is_about_no_money_has_no_amount_on_record(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(change(trust_level=L4, budget=USD))
    ledger.execute(closing())
    found = [*records(ledger), *records(ledger, session_id="ledger")]
    assert [record.event for record in found] == ["open", "change", "close", "open", "close"]
    assert {(record.amount, record.spent_delta, record.held_delta) for record in found} == {(0, 0, 0)}
    assert {(record.code, record.reasons, record.tool, record.charge_id) for record in found} == {
        (None, (), None, None)
    }


def test_a_new_session_says_why_the_one_before_it_ended(ledger: Ledger) -> None:
    first = ledger.execute(opening(agent_id="a")).state
    second = ledger.execute(opening(new=True)).state
    ended, opened = records(ledger)[-2:]
    assert (ended.event, ended.chain, ended.detail["why"]) == ("close", first.session_id, "a new session was requested")
    assert (opened.event, opened.chain, opened.agent_id) == ("open", second.session_id, "a")
    assert ended.at < opened.at
    assert second.agent_id == "a"
    ledger.execute(closing())
    assert "why" not in records(ledger)[-1].detail


@pytest.mark.parametrize("kind", [None, EnvelopeKind.SERVER, EnvelopeKind.TEAM])
def test_what_changes_nothing_is_neither_recorded_nor_notified(ledger: Ledger, kind: EnvelopeKind | None) -> None:
    if kind is not None:
        ledger.execute(configure("ann", "/srv/ann", EnvelopeSpec("class", USD, kind)))
    ledger.execute(opening(agent_id="a"))
    before, shared, seen = records(ledger), records(ledger, session_id="ledger"), state(ledger)
    for request in (opening(), opening(agent_id="a", budget=10 * USD, trust_level=L2), change()):
        again = ledger.execute(request)
        assert (again.opened, again.changed, again.state) == (False, False, seen)
    assert records(ledger) == before
    assert records(ledger, session_id="ledger") == shared


def test_a_value_that_is_confirmed_stays_that_of_who_set_it(ledger: Ledger) -> None:
    before = ledger.execute(opening(origin=SERVER, agent_id="a")).state
    again = ledger.execute(opening(budget=10 * USD, trust_level=L2))
    assert (again.changed, again.state) == (False, before)
    assert (again.state.trust_set_by, again.state.budget_set_by) == ("server", "server")
    assert [record.event for record in records(ledger)] == ["open"]


@pytest.mark.parametrize("budget", [0, 10**18])
def test_the_least_and_the_greatest_budget(ledger: Ledger, budget: int) -> None:
    opened = ledger.execute(opening(budget=budget)).state
    assert opened.balance is not None
    assert opened.balance.limit == budget
