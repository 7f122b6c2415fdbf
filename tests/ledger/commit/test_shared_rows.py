"""Requests of one transaction change the same rows, however each of them finds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from aumos_governance.errors import NotFoundError
from aumos_governance.ledger.commit import dispatch
from aumos_governance.ledger.contract.agreements import Record
from aumos_governance.ledger.contract.facts import Balance
from aumos_governance.ledger.rules.chain import LEDGER_CHAIN
from aumos_governance.ledger.transaction.rows import EstimateRow
from aumos_governance.ledger.transaction.work import Work, record
from aumos_governance.types import GovernanceOutcome
from tests.ledger.charges import gone, hold, release, settle
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    NOTEBOOK,
    SERVER,
    USD,
    Backend,
    balance,
    closing,
    opening,
    records,
    spend,
    state,
)


def test_a_notebook_found_by_its_file_and_by_its_session_is_one(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=USD))
    held = [ledger.execute(hold(CENT)).charge_id for _ in range(10)]
    before = state(ledger).seq
    futures = []
    for number, hold_id in enumerate(held):
        futures.append(ledger.submit(spend(CENT)))
        futures.append(ledger.submit(settle(hold_id, CENT) if number % 2 else release(hold_id)))
    for future in futures:
        future.result()
    assert state(ledger).seq == before + len(futures)
    assert balance(ledger) == Balance(USD, 15 * CENT, 0)
    assert ledger.verify().ok


def test_what_is_settled_late_and_what_is_closed_in_one_transaction_add_up(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=USD))
    held = [ledger.execute(hold(CENT)).charge_id for _ in range(3)]
    ledger.execute(opening(new=True, budget=USD))
    futures = [ledger.submit(spend(CENT)), *(ledger.submit(settle(hold_id, CENT)) for hold_id in held)]
    closed = ledger.submit(closing())
    for future in futures:
        future.result()
    closed.result()
    previous = state(ledger, NOTEBOOK).previous
    assert previous is not None
    assert (previous.sessions, previous.spent) == (2, 4 * CENT)
    assert ledger.verify().ok


def test_a_hold_found_by_its_id_and_by_its_kernel_is_one(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=USD))
    kernels = [replace(KERNEL, scope=f"kernel-{number}", incarnation=f"i{number}") for number in range(10)]
    held = [ledger.execute(hold(CENT, origin=kernel)).charge_id for kernel in kernels]
    futures = []
    for kernel, hold_id in zip(kernels, held, strict=True):
        # Of no caller, the first only finds it.
        ledger.submit(release(hold_id, origin=SERVER))
        ledger.submit(gone(kernel.incarnation))
        futures.append(ledger.submit(settle(hold_id, CENT, origin=BY_USER)))
    assert [future.result().spent for future in futures] == [CENT] * 10
    assert balance(ledger) == Balance(USD, 10 * CENT, 0)
    assert ledger.verify().ok


def recorded(work: Work, request: Record) -> None:
    record(work, LEDGER_CHAIN, None, request.origin, "half")


def added(work: Work, request: Record) -> None:
    work.add(EstimateRow("half", None, 1, work.now))


def saved(work: Work, request: Record) -> None:
    notebook = work.notebook(NOTEBOOK)
    assert notebook is not None
    notebook.seq += 1_000
    work.save(notebook)


@pytest.mark.parametrize("change", [recorded, added, saved])
def test_nothing_is_left_of_a_request_that_fails_halfway(
    database: Backend, monkeypatch: pytest.MonkeyPatch, change: Callable[[Work, Record], None]
) -> None:
    def fails(work: Work, request: Record) -> None:
        change(work, request)
        raise NotFoundError("It fails halfway.")

    ledger = database.open()
    before = ledger.execute(opening()).state
    shared = records(ledger, session_id="ledger")
    with monkeypatch.context() as broken:
        broken.setitem(dispatch.OPERATIONS, Record, fails)
        failing = Record(key="", origin=KERNEL, notebook=NOTEBOOK, event="log", outcome=GovernanceOutcome.ALLOW)
        with pytest.raises(NotFoundError):
            ledger.execute(failing)
    # What the next transaction writes is not what the failed one had prepared.
    assert ledger.execute(spend(CENT)).allowed
    assert state(ledger).seq == before.seq + 1
    assert records(ledger, session_id="ledger") == shared
    assert ledger.verify().findings == ()


def test_each_request_of_one_transaction_shows_the_state_after_itself(database: Backend) -> None:
    ledger = database.open()
    before = ledger.execute(opening(budget=USD)).state.seq
    futures = [ledger.submit(spend(CENT)) for _ in range(20)]
    for number, future in enumerate(futures, 1):
        shown = future.result().state
        assert shown is not None
        assert (shown.seq, shown.balance) == (before + number, Balance(USD, number * CENT, 0))
