"""Threads whose responses came together wake one another; one that is late delays none of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from aumos_governance.ledger.commit import writer
from aumos_governance.ledger.commit.writer import PATIENCE_SECONDS, Slot, Wakings
from tests.ledger.kit import (
    CENT,
    USD,
    Backend,
    balance,
    opening,
    spend,
)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [100.0]
    monkeypatch.setattr(writer.time, "monotonic", lambda: now[0])

    def pass_(seconds: float) -> None:
        now[0] += seconds

    return pass_


def responded(count: int) -> list[Slot]:
    made = [Slot() for _ in range(count)]
    for number, slot in enumerate(made):
        slot.set_result(number)
    return made


def test_each_wakes_the_next() -> None:
    first, second, third = responded(3)
    wakings = Wakings()
    wakings.begin([first, second, third])
    assert (first.woken, second.woken, third.woken) == (True, False, False)
    assert first.result() == 0
    assert (second.woken, third.woken) == (True, False)
    assert second.result() == 1
    assert third.result() == 2
    assert wakings.wait() is None


def test_one_that_failed_wakes_the_next_too() -> None:
    failed, other = Slot(), Slot()
    failed.set_exception(ValueError("no"))
    other.set_result("yes")
    Wakings().begin([failed, other])
    with pytest.raises(ValueError, match="no"):
        failed.result()
    assert other.result() == "yes"


def test_after_a_while_all_are_woken(pass_time: Callable[[float], None]) -> None:
    away, second, third = responded(3)
    wakings = Wakings()
    wakings.begin([away, second, third])
    assert wakings.wait() == pytest.approx(PATIENCE_SECONDS)
    pass_time(PATIENCE_SECONDS * 0.9)
    assert wakings.wait() is not None
    assert not third.woken
    pass_time(PATIENCE_SECONDS * 0.2)
    assert wakings.wait() is None
    assert second.result() == 1
    assert third.result() == 2
    # A late thread wakes the others once more, which has no effect.
    assert away.result() == 0


def test_those_who_wait_longest_come_first(pass_time: Callable[[float], None]) -> None:
    earlier, later = responded(2), responded(2)
    wakings = Wakings()
    wakings.begin(earlier)
    pass_time(PATIENCE_SECONDS / 2)
    wakings.begin(later)
    pass_time(PATIENCE_SECONDS / 2)
    assert wakings.wait() == pytest.approx(PATIENCE_SECONDS / 2)
    assert [slot.woken for slot in earlier + later] == [True, True, True, False]
    wakings.end()
    assert later[1].woken


def test_a_lone_one_is_not_waited_for() -> None:
    (slot,) = responded(1)
    wakings = Wakings()
    wakings.begin([slot])
    assert wakings.wait() is None
    assert slot.result() == 0


def test_an_interrupted_thread_keeps_no_response_from_others(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    requested = threading.Semaphore(0)
    me = threading.get_ident()

    class Interrupted(Slot):
        def result(self) -> object:
            requested.release()
            if threading.get_ident() == me:
                raise KeyboardInterrupt
            return super().result()

    monkeypatch.setattr(writer, "Slot", Interrupted)
    ledger = sqlite.open()
    ledger.execute(opening(budget=100 * USD))
    committing, go_on = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        committing.set()
        assert go_on.wait(20)

    end = ledger.subscribe(hold)
    first, *others = (threading.Thread(target=ledger.execute, args=(spend(),), daemon=True) for _ in range(3))
    first.start()
    assert committing.wait(20)
    end()
    # Of the threads that wait for one transaction, the first is interrupted, so it wakes no other.
    with pytest.raises(KeyboardInterrupt):
        ledger.execute(spend())
    for other in others:
        other.start()
    assert all(requested.acquire(timeout=20) for _ in range(3))
    go_on.set()
    for thread in (first, *others):
        thread.join(20)
        assert not thread.is_alive()
    # The interrupted thread's request was queued, and is executed as well.
    assert balance(ledger).spent == 4 * CENT
