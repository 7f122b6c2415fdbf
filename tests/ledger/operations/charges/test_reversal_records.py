"""Charges that are taken back: by a cancel, because their caller got no confirmation, or by a user."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, InvalidAmountError, InvalidRequestError, NotFoundError
from aumos_governance.ledger.contract.charges import TakeBack, Unconfirmed
from aumos_governance.ledger.contract.facts import Balance, Found
from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.charges import OTHER_KERNEL, correct, hold, release, settle
from tests.ledger.kit import (
    BY_USER,
    CENT,
    HOUR,
    KERNEL,
    OTHER,
    SECOND,
    SERVER,
    USD,
    Backend,
    balance,
    closing,
    key,
    opening,
    records,
    spend,
    state,
    void,
)


@pytest.mark.parametrize("request_of", [spend, hold])
def test_a_cancel_is_recorded_with_what_it_takes_back(ledger: Ledger, request_of: Any) -> None:
    session_id = ledger.execute(opening(agent_id="planner")).state.session_id
    request = request_of(3 * CENT, tool="gpt-4o")
    charge_id = ledger.execute(request).charge_id
    seq = state(ledger).seq
    voided = ledger.execute(void(request.key))
    assert (voided.voided, voided.found, voided.state) == (True, Found.CHARGE, state(ledger))
    assert state(ledger).seq == seq + 1
    record = records(ledger)[-1]
    assert (record.event, record.chain, record.charge_id, record.amount) == ("void", session_id, charge_id, 3 * CENT)
    spent = request_of is spend
    assert (record.spent_delta, record.held_delta) == ((-3 * CENT, 0) if spent else (0, -3 * CENT))
    assert (record.tool, record.agent_id, record.detail) == ("gpt-4o", "planner", {"ask": request.key})
    assert balance(ledger) == Balance(10 * USD, 0, 0)
    for again in (void(request.key), void(request.key, OTHER)):
        assert ledger.execute(again).voided
    assert state(ledger).seq == seq + 1
    assert ledger.verify().ok


@pytest.mark.parametrize(("after", "answered"), [(SECOND - 1, False), (SECOND, True)])
def test_a_response_may_be_under_way_for_a_second(backend: Backend, after: int, answered: bool) -> None:
    ledger = backend.open(clock=lambda: backend.clock.now)
    ledger.execute(opening())
    request = spend()
    ledger.execute(request)
    backend.clock.now += after
    ledger.execute(void(request.key))
    assert records(ledger)[-1].detail.get("answered", False) is answered


@pytest.mark.parametrize(("after", "late"), [(SECOND // 2, False), (SECOND // 2 + 1, True)])
def test_a_cancel_is_late_after_the_request_s_own_end(backend: Backend, after: int, late: bool) -> None:
    ledger = backend.open(clock=lambda: backend.clock.now)
    ledger.execute(opening())
    request = spend(expires_at=backend.clock.now + SECOND // 2)
    ledger.execute(request)
    backend.clock.now += after
    ledger.execute(void(request.key))
    assert records(ledger)[-1].detail.get("late", False) is late


@pytest.mark.parametrize("ends", ["settle", "release", "correct"])
def test_what_was_resolved_or_corrected_is_not_cancelled(ledger: Ledger, ends: str) -> None:
    ledger.execute(opening())
    request: Any = spend(3 * CENT) if ends == "correct" else hold(3 * CENT)
    charge_id = ledger.execute(request).charge_id
    end = {"settle": settle(charge_id, CENT), "release": release(charge_id), "correct": correct(charge_id, CENT)}[ends]
    ledger.execute(end)
    before, counted = records(ledger), balance(ledger)
    response = ledger.execute(void(request.key))
    assert (response.voided, response.found, response.state) == (False, Found.RESOLVED, state(ledger))
    assert (records(ledger), balance(ledger)) == (before, counted)


def test_a_cancel_of_nothing_refuses_what_comes_and_changes_no_figure(ledger: Ledger) -> None:
    ledger.execute(opening())
    before = state(ledger)
    for _ in range(2):
        response = ledger.execute(void("later"))
        assert (response.voided, response.found, response.state) == (True, Found.NOTHING, before)
    with pytest.raises(ConflictError):
        ledger.execute(spend(key="later"))
    # Of another caller the same key is another request.
    assert ledger.execute(spend(key="later", origin=OTHER_KERNEL)).allowed


@pytest.mark.parametrize(("hours", "found"), [(47, Found.NOTHING), (49, Found.UNKNOWN)])
def test_what_an_older_session_requested_may_be_forgotten(backend: Backend, hours: int, found: Found) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    backend.clock.advance(hours * HOUR)
    ledger.execute(opening(new=True))
    assert ledger.execute(void("never came")).found is found


# ---- without a confirmation


def doubt(ledger: Ledger, charge_id: str | None, of: str = "", **values: Any) -> Unconfirmed:
    session_id = state(ledger).session_id
    given = {"session_id": session_id, "charge_id": charge_id, "scope": KERNEL.scope if of else "", "key": of}
    return Unconfirmed(**given | values)


def take_back(ledger: Ledger, *charges: Unconfirmed) -> int:
    return ledger.execute(TakeBack(key=key(), origin=SERVER, charges=charges))


@pytest.mark.parametrize("request_of", [spend, hold])
@pytest.mark.parametrize("keyed", [True, False])
def test_what_was_not_confirmed_is_taken_back(ledger: Ledger, request_of: Any, keyed: bool) -> None:
    ledger.execute(opening(agent_id="planner"))
    request = request_of(3 * CENT, key=key() if keyed else "", tool="gpt-4o")
    charge_id = ledger.execute(request).charge_id
    assert take_back(ledger, doubt(ledger, charge_id, request.key)) == 1
    assert balance(ledger) == Balance(10 * USD, 0, 0)
    record = records(ledger)[-1]
    spent = request_of is spend
    assert (record.event, record.charge_id, record.actor) == ("void", charge_id, "server")
    assert (record.spent_delta, record.held_delta) == ((-3 * CENT, 0) if spent else (0, -3 * CENT))
    assert record.detail == {"unconfirmed": True} | ({"ask": request.key} if keyed else {})
    assert take_back(ledger, doubt(ledger, charge_id, request.key)) == 0
    if keyed:
        with pytest.raises(ConflictError, match="cancelled"):
            ledger.execute(request)
    assert ledger.verify().ok


def test_only_what_was_committed_and_still_stands_is_taken_back(ledger: Ledger) -> None:
    ledger.execute(opening())
    corrected = ledger.execute(spend(3 * CENT)).charge_id
    ledger.execute(correct(corrected, CENT))
    settled = ledger.execute(hold(3 * CENT)).charge_id
    ledger.execute(settle(settled, 2 * CENT))
    stands = ledger.execute(spend(CENT)).charge_id
    doubts = (
        doubt(ledger, "unknown"),
        doubt(ledger, stands, session_id="unknown"),
        doubt(ledger, corrected),
        doubt(ledger, settled),
    )
    assert take_back(ledger, *doubts) == 0
    assert take_back(ledger, *doubts, doubt(ledger, stands)) == 1
    assert balance(ledger) == Balance(10 * USD, 4 * CENT, 0)


# ---- corrections


@pytest.mark.parametrize("amount", [-1, 0, 0.5, True])
def test_what_is_no_amount_corrects_nothing(ledger: Ledger, amount: Any) -> None:
    ledger.execute(opening())
    charge_id = ledger.execute(spend(CENT)).charge_id
    with pytest.raises(InvalidAmountError):
        ledger.execute(correct(charge_id, amount))
    assert ledger.execute(correct(charge_id, 1)).left == CENT - 1


def test_a_correction_names_its_reason_and_stays_within_the_server_s_root(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge_id = ledger.execute(spend(CENT)).charge_id
    for reason in ("", " \n"):
        with pytest.raises(InvalidRequestError, match="reason"):
            ledger.execute(correct(charge_id, 1, reason=reason))
    with pytest.raises(NotFoundError):
        ledger.execute(correct(charge_id, 1, origin=replace(BY_USER, within=("ann", "/srv/bob"))))
    seq = state(ledger).seq
    corrected = ledger.execute(correct(charge_id, CENT, origin=replace(BY_USER, within=("ann", "/srv/ann"))))
    record = records(ledger)[-1]
    assert record.detail == {"correction": corrected.correction_id}
    assert (corrected.charge_id, corrected.amount, corrected.left) == (charge_id, CENT, 0)
    assert (corrected.record_id, corrected.state.seq) == (record.record_id, seq + 1)
    with pytest.raises(ConflictError):
        ledger.execute(correct(charge_id, 1))


def test_a_correction_of_a_closed_session_counts_there(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge_id = ledger.execute(spend(3 * CENT)).charge_id
    ledger.execute(closing())
    ledger.execute(opening())
    ledger.execute(correct(charge_id, CENT))
    previous = state(ledger).previous
    assert previous is not None
    assert (previous.spent, balance(ledger).spent) == (2 * CENT, 0)
    assert ledger.verify().ok
