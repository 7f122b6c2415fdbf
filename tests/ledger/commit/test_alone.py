"""A thread that is alone executes its own request, so whatever interrupts the thread interrupts the ledger as well."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from aumos_governance.errors import LedgerError
from aumos_governance.ledger.commit import writer
from aumos_governance.ledger.contract.ledger import Ledger
from tests.interrupting import PACKAGE, interrupted
from tests.ledger.kit import (
    CENT,
    USD,
    Backend,
    balance,
    opening,
    records,
    spend,
)


@pytest.fixture
def ledger(sqlite: Backend) -> Iterator[Ledger]:
    ledger = sqlite.open()
    ledger.execute(opening(budget=1000 * USD))
    yield ledger
    assert ledger.verify().ok


def heard_in(ledger: Ledger) -> list[int]:
    """Collect the threads in which commits are reported from now on."""
    threads: list[int] = []
    ledger.subscribe(lambda _: threads.append(threading.get_ident()))
    return threads


def let_go(ledger: Ledger) -> None:
    """Wait until the writer's thread has ended its turn, which is after all callers were woken."""
    with ledger._writer._turn.lock:  # type: ignore[attr-defined]
        pass


def test_a_lone_caller_commits_alone(ledger: Ledger) -> None:
    threads = heard_in(ledger)
    assert ledger.execute(spend()).allowed
    assert ledger.submit(spend()).result().allowed
    let_go(ledger)
    assert ledger.execute(spend()).allowed
    mine = threading.get_ident()
    assert threads[0] == threads[2] == mine
    assert threads[1] != mine


def test_who_comes_while_another_commits_waits_for_the_writers_thread(ledger: Ledger) -> None:
    threads = heard_in(ledger)
    committing, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        committing.set()
        assert go_on.wait(10)

    end = ledger.subscribe(hold)
    first = threading.Thread(target=ledger.execute, args=(spend(),))
    first.start()
    assert committing.wait(10)
    late = [ledger.submit(spend()) for _ in range(3)]
    end()
    go_on.set()
    assert all(future.result(10).allowed for future in late)
    first.join()
    let_go(ledger)
    assert threads[0] == first.ident
    # One commit for the three requests.
    assert len(threads) == 2
    assert balance(ledger).spent == 4 * CENT


def test_no_request_overtakes_an_earlier_one(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, go_on = threading.Event(), threading.Event()

    def sleep(_: float) -> None:
        taken.set()
        assert go_on.wait(10)

    turn = ledger._writer._turn  # type: ignore[attr-defined]
    monkeypatch.setattr(writer, "time", SimpleNamespace(sleep=sleep))
    # The writer's thread has just taken the first request: it is in no queue, and no lock is held yet.
    turn.alone = False
    earlier = ledger.submit(spend(tool="first"))
    assert taken.wait(10)
    turn.alone = True
    go_on_later = threading.Timer(0.2, go_on.set)
    go_on_later.start()
    assert ledger.execute(spend(tool="second")).allowed
    assert earlier.result(10).allowed
    go_on_later.join()
    assert [record.tool for record in records(ledger)[1:]] == ["first", "second"]


def test_an_error_reaches_its_caller(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from aumos_governance.ledger.operations.charges import charges

    def breaking(*_: Any, **__: Any) -> str:
        raise RuntimeError("half way")

    with monkeypatch.context() as patch:
        patch.setattr(charges, "record", breaking)
        with pytest.raises(RuntimeError, match="half way"):
            ledger.execute(spend())
    assert ledger.execute(spend()).allowed
    assert balance(ledger).spent == CENT


def whole(ledger: Ledger) -> None:
    """Check that nothing is held back: no thread waits for an interrupted one, and no transaction is open."""
    spent = balance(ledger).spent
    assert ledger.execute(spend()).allowed
    assert ledger.submit(spend()).result(10).allowed
    let_go(ledger)
    assert balance(ledger).spent == spent + 2 * CENT


def adds_up(ledger: Ledger) -> bool:
    # The first record is that of the session; each of the others is a spend of one cent.
    return balance(ledger).spent == (len(records(ledger)) - 1) * CENT


def test_an_interrupt_at_any_line_leaves_a_whole_ledger(ledger: Ledger) -> None:
    at = 1
    while interrupted(partial(ledger.execute, spend()), at, PACKAGE / "ledger"):
        whole(ledger)
        at += 1
    assert at > 200
    assert adds_up(ledger)


# An interrupt while Python runs a finalizer is printed, and goes no further.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_at_any_moment_leaves_a_whole_ledger(ledger: Ledger) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, interrupt)
    hit = 0
    try:
        for round_ in range(300):
            request = spend()
            try:
                signal.setitimer(signal.ITIMER_REAL, (round_ + 1) * 5e-6)
                ledger.execute(request)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                hit += 1
            if round_ % 10 == 0:
                whole(ledger)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    whole(ledger)
    assert adds_up(ledger)
    assert hit > 20


def test_a_transaction_that_was_left_open_is_undone(ledger: Ledger) -> None:
    connection = ledger._database._writer  # type: ignore[attr-defined]
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE balances SET spent = 7")
    assert ledger.execute(spend()).allowed
    assert balance(ledger).spent == CENT


def test_a_request_in_the_middle_of_another_is_refused(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from aumos_governance.ledger.operations.charges import charges

    record, refused = charges.record, []

    def requesting(*arguments: Any, **fields: Any) -> str:
        if not refused:
            with pytest.raises(LedgerError, match="in the middle of another request of this thread") as error:
                ledger.execute(spend())
            refused.append(error)
        return record(*arguments, **fields)

    monkeypatch.setattr(charges, "record", requesting)
    assert ledger.execute(spend()).allowed
    assert refused
    assert ledger.execute(spend()).allowed
    assert balance(ledger).spent == 2 * CENT


def test_closing_waits_for_who_commits(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    committing, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        committing.set()
        assert go_on.wait(10)

    end = ledger.subscribe(hold)
    done: list[bool] = []
    requesting = threading.Thread(target=lambda: done.append(ledger.execute(spend()).allowed))
    requesting.start()
    assert committing.wait(10)
    closing = threading.Thread(target=ledger.close)
    closing.start()
    # A request made from now on raises an error, and does not wait for the one that is being executed.
    while True:
        future = None
        try:
            future = ledger.submit(spend())
        except LedgerError:
            break
        assert future.cancel() or future.result(10)
    assert closing.is_alive()
    end()
    go_on.set()
    requesting.join(10)
    closing.join(10)
    assert not closing.is_alive()
    assert done == [True]
    with pytest.raises(LedgerError, match="is closed"):
        ledger.execute(spend())


def test_a_request_that_was_counted_and_not_queued_is_forgotten(ledger: Ledger) -> None:
    threads = heard_in(ledger)
    # As an interrupt between the two statements leaves it.
    ledger._writer._turn.queued += 1  # type: ignore[attr-defined]
    for _ in range(2):
        assert ledger.execute(spend()).allowed
        let_go(ledger)
    assert threads[0] != threading.get_ident()
    assert threads[1] == threading.get_ident()
