from __future__ import annotations

from dataclasses import replace

import pytest

from aumos_governance.errors import InvalidAmountError, InvalidRequestError, NotAllowedError
from aumos_governance.ledger.contract.facts import Balance, ClosedSessions, Origin, SessionState
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListStates
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.types import TrustLevel
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    NOTEBOOK,
    OTHER,
    USD,
    at,
    change,
    closing,
    delete,
    opening,
    records,
    spend,
    state,
)

STRICT = SessionTerms(strict=True)


def test_a_notebook_that_was_never_opened_has_nothing(ledger: Ledger) -> None:
    assert state(ledger) == SessionState(NOTEBOOK, 0)
    assert ledger.execute(closing()) == SessionState(NOTEBOOK, 0)
    assert records(ledger) == []


def test_open_takes_the_defaults(ledger: Ledger) -> None:
    opened = ledger.execute(opening(agent_id="planner"))
    assert opened.opened
    assert not opened.changed
    found = state(ledger)
    assert found == opened.state
    assert found.active
    assert found.trust_level is TrustLevel.L2_SUGGEST
    assert found.balance == Balance(10 * USD, 0, 0)
    assert found.agent_id == "planner"
    assert (found.trust_set_by, found.budget_set_by, found.opened_by) == ("kernel", "kernel", "kernel")
    assert not found.trust_by_person
    assert found.previous is None
    (record,) = records(ledger)
    assert (record.event, record.seq, record.chain, record.cell_id) == ("open", 1, found.session_id, "c1")
    assert record.detail["budget"] == "10"


def test_open_again_with_the_same_values_resumes_and_records_nothing(ledger: Ledger) -> None:
    first = ledger.execute(opening(budget=5 * USD))
    ledger.execute(spend(20 * CENT))
    again = ledger.execute(opening(budget=5 * USD))
    assert not again.opened
    assert not again.changed
    assert again.state.session_id == first.state.session_id
    assert again.state.balance == Balance(5 * USD, 20 * CENT, 0)
    assert [record.event for record in records(ledger)] == ["open", "spend"]


def test_open_with_other_values_is_a_recorded_change_that_keeps_what_was_spent(ledger: Ledger) -> None:
    first = ledger.execute(opening())
    ledger.execute(spend(20 * CENT))
    changed = ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE, budget=4 * USD, agent_id="a2"))
    assert changed.changed
    assert not changed.opened
    assert changed.state.session_id == first.state.session_id
    assert changed.state.balance == Balance(4 * USD, 20 * CENT, 0)
    assert changed.state == state(ledger)
    record = records(ledger)[-1]
    assert record.event == "change"
    assert record.actor == "kernel"
    assert record.detail == {
        "trust_level": {"from": 2, "to": 3, "by": "kernel", "by_person": False, "was_set_by": "kernel"},
        "budget": {"from": "10", "to": "4", "by": "kernel", "by_person": False, "was_set_by": "kernel"},
        "agent_id": {"from": None, "to": "a2", "by": "kernel"},
    }


def test_a_new_session_closes_the_one_before(ledger: Ledger) -> None:
    first = ledger.execute(opening(budget=5 * USD))
    ledger.execute(spend(30 * CENT))
    second = ledger.execute(opening(new=True))
    assert second.opened
    assert second.state.session_id != first.state.session_id
    assert second.state.balance == Balance(10 * USD, 0, 0)
    previous = second.state.previous
    assert previous is not None
    assert previous == ClosedSessions(1, 30 * CENT, 5 * USD, previous.closed_at)
    assert [record.event for record in records(ledger)] == ["open", "spend", "close", "open"]


def test_close_shows_the_last_figures_and_the_next_session_starts_at_zero(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(spend(20 * CENT))
    closed = ledger.execute(closing())
    assert not closed.active
    assert closed.balance == Balance(10 * USD, 20 * CENT, 0)
    assert closed.closed_at is not None
    assert closed.previous is not None
    assert closed.previous.spent == 20 * CENT
    assert state(ledger) == closed
    assert ledger.execute(closing()) == closed
    again = ledger.execute(opening(budget=1 * USD))
    ledger.execute(spend(10 * CENT))
    assert again.opened
    assert again.state.balance == Balance(1 * USD, 0, 0)
    total = ledger.execute(closing()).previous
    assert total is not None
    assert (total.sessions, total.spent, total.budget) == (2, 30 * CENT, 1 * USD)


def test_seq_rises_with_each_change_and_over_sessions(ledger: Ledger) -> None:
    seen = [
        ledger.execute(opening()).state.seq,
        ledger.execute(spend()).state.seq,  # type: ignore[union-attr]
        ledger.execute(opening(trust_level=TrustLevel.L1_MONITOR)).state.seq,
        ledger.execute(closing()).seq,
        ledger.execute(opening()).state.seq,
    ]
    assert seen == sorted(set(seen))
    ledger.execute(delete(NOTEBOOK.path))
    assert state(ledger).seq > seen[-1]
    assert state(ledger).session_id is None
    assert ledger.execute(opening()).state.seq > seen[-1] + 1


def test_a_users_value_can_only_be_tightened_from_a_kernel(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(change(budget=5 * USD))
    wider = ledger.execute(opening(budget=10 * USD))
    assert not wider.changed
    assert wider.state.balance == Balance(5 * USD, 0, 0)
    assert "stays at $5.00, set by ann" in wider.notes[0]
    tighter = ledger.execute(opening(budget=2 * USD))
    assert tighter.changed
    assert tighter.state.balance == Balance(2 * USD, 0, 0)
    assert ledger.execute(opening(budget=5 * USD)).state.balance == Balance(2 * USD, 0, 0)
    # A session that is opened after a disable is limited by it as well.
    ledger.execute(closing())
    assert ledger.execute(opening(budget=10 * USD)).state.balance == Balance(2 * USD, 0, 0)
    # Only a user lifts the limit.
    assert ledger.execute(change(budget=10 * USD)).state.balance == Balance(10 * USD, 0, 0)


def test_a_user_opens_a_session_where_none_is_open(ledger: Ledger) -> None:
    opened = ledger.execute(change(trust_level=TrustLevel.L4_ACT_REPORT))
    assert opened.opened
    assert opened.state.opened_by == "ann"
    assert opened.state.trust_by_person
    assert opened.state.trust_level is TrustLevel.L4_ACT_REPORT


def test_a_user_who_confirms_a_kernels_value_makes_it_theirs(ledger: Ledger) -> None:
    ledger.execute(opening(budget=3 * USD))
    confirmed = ledger.execute(change(budget=3 * USD))
    assert confirmed.changed
    assert confirmed.state.budget_by_person
    step = {"from": "3", "to": "3", "by": "ann", "by_person": True, "was_set_by": "kernel"}
    assert records(ledger)[-1].detail["budget"] == step
    assert not ledger.execute(change(budget=3 * USD)).changed
    assert len(records(ledger)) == 2


def test_a_ceiling_below_what_is_spent_shows_as_over(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(spend(3 * USD))
    lowered = ledger.execute(change(budget=1 * USD)).state.balance
    assert lowered is not None
    assert (lowered.remaining, lowered.over) == (0, 2 * USD)
    assert not ledger.execute(spend()).allowed


def test_strict_leaves_nothing_to_a_kernel_but_tightening(ledger: Ledger) -> None:
    with pytest.raises(NotAllowedError, match=r"at most \$10\.00"):
        ledger.execute(opening(terms=STRICT, budget=11 * USD))
    assert state(ledger).session_id is None
    ledger.execute(opening(terms=STRICT))
    for wish in (opening(terms=STRICT, new=True), opening(terms=STRICT, budget=11 * USD), closing(terms=STRICT)):
        with pytest.raises(NotAllowedError, match="This server is strict"):
            ledger.execute(wish)
    assert ledger.execute(opening(terms=STRICT, budget=2 * USD)).changed
    with pytest.raises(NotAllowedError, match=r"at most \$2\.00"):
        ledger.execute(opening(terms=STRICT, budget=3 * USD))
    assert not ledger.execute(closing(terms=STRICT, origin=BY_USER)).active
    with pytest.raises(NotAllowedError, match="only a user can open a notebook's next session"):
        ledger.execute(opening(terms=STRICT))
    assert [record.event for record in records(ledger)] == ["open", "change", "close"]


def test_maxima_bind_kernels_and_users(ledger: Ledger) -> None:
    terms = SessionTerms(max_trust_level=TrustLevel.L3_ACT_APPROVE, max_budget=20 * USD)
    for wish in (
        opening(terms=terms, budget=21 * USD),
        opening(terms=terms, trust_level=TrustLevel.L4_ACT_REPORT),
        change(terms=terms, budget=21 * USD),
        change(terms=terms, trust_level=TrustLevel.L5_AUTONOMOUS),
    ):
        with pytest.raises(NotAllowedError, match="the highest this"):
            ledger.execute(wish)
    assert state(ledger) == SessionState(NOTEBOOK, 0)


@pytest.mark.parametrize("budget", [-1, 1.5, True, 10**18 + 1])
def test_a_budget_that_is_none_is_refused(ledger: Ledger, budget: object) -> None:
    with pytest.raises(InvalidAmountError):
        ledger.execute(opening(budget=budget))
    assert state(ledger).session_id is None


def test_a_budget_of_zero_is_one(ledger: Ledger) -> None:
    ledger.execute(opening(budget=0))
    assert ledger.execute(spend()).reasons == ("Would exceed budget ($0.01 > $0.00)",)


@pytest.mark.parametrize(
    "values", [{"agent_id": ""}, {"trust_level": 3}, {"agent_id": "half \ud800"}, {"agent_id": "\0"}]
)
def test_values_that_cannot_be_recorded_are_refused(ledger: Ledger, values: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError):
        ledger.execute(opening(**values))
    assert state(ledger).session_id is None


def test_notebooks_with_such_paths_are_refused(ledger: Ledger) -> None:
    for path in ("a\0b", "a\udcffb"):
        with pytest.raises(InvalidRequestError):
            ledger.execute(opening(at(path)))
        with pytest.raises(InvalidRequestError):
            state(ledger, at(path))


def test_each_notebook_has_its_own(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(opening(OTHER, budget=1 * USD))
    ledger.execute(spend(5 * CENT))
    for foreign in (replace(NOTEBOOK, owner="bob"), replace(NOTEBOOK, root="/srv/bob")):
        assert state(ledger, foreign) == SessionState(foreign, 0)
    assert state(ledger, OTHER).balance == Balance(1 * USD, 0, 0)


def test_states_are_listed_by_path_and_in_pages(ledger: Ledger) -> None:
    for path in ("b.ipynb", "a.ipynb", "ä.ipynb", "B.ipynb"):
        ledger.execute(opening(at(path)))
    ledger.execute(spend(notebook=at("never-opened.ipynb")))
    ledger.execute(opening(replace(NOTEBOOK, owner="bob")))
    ledger.execute(opening(at("gone.ipynb")))
    ledger.execute(delete("gone.ipynb"))
    listed = ledger.read(ListStates(owner="ann", root="/srv/ann"))
    assert [found.notebook.path for found in listed] == ["B.ipynb", "a.ipynb", "b.ipynb", "ä.ipynb"]
    page = ledger.read(ListStates(owner="ann", root="/srv/ann", after="a.ipynb", limit=1))
    assert page == (state(ledger, at("b.ipynb")),)


def test_listeners_hear_the_last_state_of_each_changed_notebook(ledger: Ledger) -> None:
    heard: list[SessionState] = []

    def broken(states: tuple[SessionState, ...]) -> None:
        raise RuntimeError("a listener's own fault")

    end_broken = ledger.subscribe(broken)
    end = ledger.subscribe(heard.extend)
    ledger.execute(opening())
    done = ledger.execute(spend())
    ledger.execute(opening())
    ledger.execute(opening(OTHER))
    ledger.execute(delete(OTHER.path))
    # One more commit, after which all earlier changes were reported.
    ledger.submit(opening()).result()
    end()
    end_broken()
    ledger.execute(spend())
    ledger.close()
    assert heard[1] == done.state
    assert [found.seq for found in heard] == [1, 2, 1, 3]
    assert heard[-1] == SessionState(OTHER, 3)


def test_who_opened_is_who_the_channel_says(ledger: Ledger) -> None:
    opened = ledger.execute(opening(origin=Origin("server", scope="server")))
    assert opened.state.opened_by == "server"
    assert ledger.execute(opening(origin=KERNEL)).state.opened_by == "server"
