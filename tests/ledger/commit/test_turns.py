"""The order of requests: callers take turns, and the server's own requests keep their place."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.ledger.commit import arrivals
from aumos_governance.ledger.commit.arrivals import Arrivals, Lanes
from aumos_governance.ledger.contract.charges import Hold, KernelGone
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.requests import Request
from tests.ledger.kit import (
    KERNEL,
    OTHER,
    SERVER,
    USD,
    Backend,
    balance,
    move,
    opening,
    records,
    spend,
    state,
)

QUIET = Origin("kernel", scope="kernel-2", incarnation="two")


def lanes_of(*entries: str) -> Lanes[str]:
    """Entries named by their lane and a number, in the order in which they arrived."""
    lanes: Lanes[str] = Lanes()
    for entry in entries:
        lanes.add(entry[0], entry)
    return lanes


def test_lanes_take_turns_and_keep_their_order() -> None:
    lanes = lanes_of("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    assert lanes
    assert lanes.take(100, 100) == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]
    assert not lanes
    assert lanes.take(100, 100) == []


def test_turns_go_on_where_they_stopped() -> None:
    lanes = lanes_of("a1", "a2", "a3", "b1", "b2", "c1", "c2")
    assert lanes.take(2, 100) == ["a1", "b1"]
    lanes.add("d", "d1")
    assert lanes.take(4, 100) == ["c1", "a2", "b2", "d1"]
    assert lanes.take(4, 100) == ["c2", "a3"]


def test_one_lane_gives_no_more_than_its_share() -> None:
    lanes = lanes_of("a1", "a2", "a3", "a4", "b1")
    assert lanes.take(100, 2) == ["a1", "b1", "a2"]
    assert lanes.take(100, 2) == ["a3", "a4"]


def test_a_lane_that_was_empty_comes_after_all_others() -> None:
    lanes = lanes_of("a1", "b1")
    assert lanes.take(1, 1) == ["a1"]
    lanes.add("a", "a2")
    assert lanes.take(2, 1) == ["b1", "a2"]


def queued(*requests: Request[Any]) -> Arrivals[str]:
    waiting: Arrivals[str] = Arrivals()
    for request in requests:
        waiting.add(request, request.key)
    return waiting


def taken(waiting: Arrivals[str]) -> list[str]:
    return [name for _, name in waiting.take()]


def test_a_flood_delays_no_other_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_OF_CALLER", 3)
    waiting = queued(*(spend(key=f"flood-{number}") for number in range(8)), spend(key="quiet", origin=QUIET))
    assert taken(waiting) == ["flood-0", "quiet", "flood-1", "flood-2"]
    waiting.add(spend(origin=QUIET), "quiet again")
    assert taken(waiting) == ["flood-3", "quiet again", "flood-4", "flood-5"]
    assert not waiting.empty
    assert taken(waiting) == ["flood-6", "flood-7"]
    assert waiting.empty


def test_a_transaction_holds_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_BATCH", 4)
    waiting = queued(*(spend(key=str(number)) for number in range(6)), move("a", "b"), spend(key="after"))
    assert taken(waiting) == ["0", "1", "2", "3"]
    assert len(taken(waiting)) == 4
    assert waiting.empty


def test_what_the_server_does_keeps_its_place_among_all() -> None:
    rename = move("work", "play")
    gone = KernelGone(key="gone", origin=Origin("server"), incarnation="one")
    waiting = queued(
        *(spend(key="k1"), spend(key="k2"), spend(key="q1", origin=QUIET)),
        *(rename, gone, spend(key="k3"), spend(key="q2", origin=QUIET), spend(key="k4")),
    )
    assert taken(waiting) == ["k1", "q1", "k2", rename.key, "gone", "k3", "q2", "k4"]


def test_the_servers_own_request_waits_for_what_came_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_OF_CALLER", 1)
    waiting = queued(spend(key="k1"), spend(key="k2"), move("work", "play"), spend(key="q", origin=QUIET))
    assert taken(waiting) == ["k1"]
    waiting.end()
    assert not waiting.over
    assert len(taken(waiting)) == 3
    assert waiting.over


def test_a_user_called_server_is_no_server() -> None:
    user = Origin("server", person=True, scope="user:server")
    waiting = queued(spend(key="k1"), spend(key="k2"), spend(key="p", origin=user))
    assert taken(waiting) == ["k1", "p", "k2"]


class Held:
    """A ledger whose writer pauses in the middle of a commit until it is released, while requests queue up."""

    def __init__(self, ledger: Ledger) -> None:
        self._go_on, committing = threading.Event(), threading.Event()

        def hold(_: object) -> None:
            committing.set()
            assert self._go_on.wait(20)

        self._end = ledger.subscribe(hold)
        self._first = ledger.submit(spend())
        assert committing.wait(20)

    def let_go(self) -> None:
        self._end()
        self._go_on.set()
        assert self._first.result(20).allowed


def test_a_request_is_done_in_the_next_transaction_however_many_another_caller_has_queued(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=1000 * USD))
    ledger.execute(opening(OTHER, origin=QUIET, budget=USD))
    held = Held(ledger)
    flood = [ledger.submit(spend(1)) for _ in range(3 * arrivals.MAX_OF_CALLER)]
    done_before: list[int] = []
    quiet = ledger.submit(spend(notebook=OTHER, origin=QUIET))
    quiet.add_done_callback(lambda _: done_before.append(sum(future.done() for future in flood)))
    held.let_go()
    assert quiet.result(20).allowed
    assert all(future.result(20).allowed for future in flood)
    # The first request of the flood had its turn before.
    assert done_before == [1]
    assert ledger.verify().ok


def test_a_kernels_requests_are_done_before_its_end_and_before_a_rename(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=1000 * USD))
    held = Held(ledger)
    flood = [ledger.submit(spend(1)) for _ in range(2 * arrivals.MAX_OF_CALLER)]
    hold: Future[Any] = ledger.submit(Hold(key="h", origin=KERNEL, notebook=spend().notebook, amount=5))
    renamed = ledger.submit(move("work/plan.ipynb", "work/done.ipynb"))
    gone = ledger.submit(KernelGone(key="", origin=SERVER, incarnation="one"))
    held.let_go()
    assert renamed.result(20) == 1
    assert gone.result(20) == 1, "the hold was made before, and is unresolved now"
    assert hold.result(20).allowed
    assert all(future.result(20).allowed for future in flood), "the notebook had its old name"
    assert state(ledger, NotebookKey("ann", "/srv/ann", "work/done.ipynb")).active


def test_what_was_queued_is_done_when_the_ledger_closes(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=1000 * USD))
    held = Held(ledger)
    flood = [ledger.submit(spend(1)) for _ in range(3 * arrivals.MAX_OF_CALLER)]
    closing = threading.Thread(target=ledger.close)
    closing.start()
    held.let_go()
    closing.join(30)
    assert not closing.is_alive()
    assert all(future.result(20).allowed for future in flood)


def test_nothing_that_waited_past_its_expiry_is_done(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=1000 * USD))
    spent = balance(ledger).spent
    held = Held(ledger)
    late = [ledger.submit(spend(7, expires_at=database.clock.now + 500)) for _ in range(3)]
    timely = ledger.submit(replace(spend(9), expires_at=database.clock.now + 3_600_000_000))
    database.clock.advance(1_000)
    held.let_go()
    assert {getattr(future.exception(20), "code", None) for future in late} == {"EXPIRED"}
    assert timely.result(20).allowed
    assert balance(ledger).spent == spent + spend().amount + 9
    assert [record.amount for record in records(ledger, event="spend")] == [spend().amount, 9]
