"""The order in which queued calls are tried, in each of their queues, and how many may wait."""

from __future__ import annotations

import logging
import math
from typing import Any

import pytest

from aumos_governance.errors import BusyError
from aumos_governance.service.callers import Caller
from aumos_governance.service.queues import Queue
from aumos_governance.service.turns import Turns
from tests.service.acts import CALLER, NOTEBOOK

A: Queue = ("session", "", "ann", "a")
B: Queue = ("session", "", "ann", "b")
SHARED: Queue = ("owner", "mine", "ann")


class Call:
    """A waiting call, with the attributes that its turn depends on."""

    def __init__(self, place: Queue, *more: Queue, queued: bool = True, read: bool = True, **values: Any) -> None:
        self.place = place
        self.queues = frozenset((place, *more)) if read else frozenset()
        self.queue: Queue | None = place
        self.queued = queued
        self.takes_turns = values.get("takes_turns", True)
        self.at_limit = values.get("at_limit", False)
        self.trying = values.get("trying", True)
        self.caller: Caller = values.get("caller", CALLER)
        self.request = values.get("request")
        self.check_at = 5.0
        self.changed = False


class Queues:
    """The queues around a notebook; reading them fails if ``found`` is None."""

    found: frozenset[Queue] | None = frozenset((A, SHARED))
    forgotten = 0

    def of(self, notebook: object, request: object) -> frozenset[Queue]:
        assert (notebook, request) == (NOTEBOOK, "the request")
        if self.found is None:
            raise OSError("The disk is gone.")
        return self.found

    def forget(self) -> None:
        self.forgotten += 1


def turns(*calls: Call) -> Any:
    by_key = {("scope", str(number)): call for number, call in enumerate(calls)}
    made: Any = Turns(None, by_key, logging.getLogger(__name__))  # type: ignore[arg-type]
    made._queues = Queues()
    return made


def test_the_first_in_each_line_is_free() -> None:
    first, second, other, outside = Call(A), Call(A), Call(B), Call(A, queued=False)
    made = turns(outside, first, second, other)
    assert made.free() == {first, other}
    assert made.any()
    assert made._queues.forgotten == 0
    assert made.is_free(Call(B, SHARED)) is False
    assert made.is_free(Call(("session", "", "ann", "c"))) is True
    assert turns().is_free(Call(A)) is True
    assert turns(Call(A)).is_free(Call(B)) is True


def test_where_none_waits_what_is_known_of_lines_is_forgotten() -> None:
    made = turns(Call(A, queued=False))
    assert not made.any()
    assert made.free() == set()
    assert made._queues.forgotten == 1
    assert turns(Call(A, queued=False), Call(A)).any()


def test_a_call_whose_lines_are_not_known_stands_in_that_of_its_place() -> None:
    unread, after, other = Call(A, read=False), Call(A), Call(B)
    made = turns(unread, after, other)
    assert made.free() == {unread, other}
    assert made.unread() == [unread]
    assert turns(Call(A, read=False, queued=False)).unread() == []


def test_those_in_the_same_lines_move_up_when_one_is_gone() -> None:
    same, sharing, apart, idle = Call(A), Call(B, SHARED), Call(B), Call(A, trying=False)
    made = turns(same, sharing, apart, idle)
    made.move_up(Call(A, SHARED))
    assert [call.check_at for call in (same, sharing, apart, idle)] == [-math.inf, -math.inf, 5, -math.inf]
    assert [call.changed for call in (same, sharing, apart, idle)] == [True, True, False, False]
    unread = Call(A, read=False)
    turns(unread).move_up(Call(A, read=False))
    assert unread.check_at == -math.inf


def test_those_that_need_a_share_of_the_same_are_counted() -> None:
    own = Call(A, SHARED)
    others = [
        Call(A),
        Call(A, read=False),
        Call(B, SHARED, queued=False),
        Call(B),
        Call(A, takes_turns=False),
        Call(A, at_limit=True),
    ]
    assert turns(own, *others).beside(own) == 3


def test_no_more_wait_than_there_is_room_for_of_a_caller() -> None:
    calls = [Call(A) for _ in range(255)]
    turns(*calls).check_room(Call(A))
    with pytest.raises(BusyError, match=r"^256 calls"):
        turns(*calls, Call(A)).check_room(Call(A))
    turns(*calls, Call(A, queued=False)).check_room(Call(A))
    another = Caller(NOTEBOOK, "kernel:k2", "k2:n1")
    turns(*calls, Call(A)).check_room(Call(A, caller=another))


def test_no_more_wait_than_there_is_room_for_of_a_notebook() -> None:
    callers = [Caller(NOTEBOOK, f"kernel:k{number}", "n") for number in range(5)]
    calls = [Call(A, caller=callers[number // 250]) for number in range(1_023)]
    new = Call(A, caller=callers[4])
    turns(*calls).check_room(new)
    with pytest.raises(BusyError):
        turns(*calls, Call(A, caller=callers[4])).check_room(new)
    turns(*calls, Call(B, caller=callers[4])).check_room(new)


def test_a_calls_queues_are_read_or_else_only_its_sessions_queue_is_used(caplog: pytest.LogCaptureFixture) -> None:
    made, call = turns(), Call(A, read=False, request="the request")
    assert made.queues_of(NOTEBOOK, "the request") == {A, SHARED}
    made.read_queues(call)
    assert call.queues == {A, SHARED}
    made._queues.found = None
    made.read_queues(call)
    assert call.queues == {A}
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_calls_whose_queues_could_not_be_read_take_turns_in_their_own_place() -> None:
    first, second, elsewhere = Call(A, read=False), Call(A, read=False), Call(B, read=False)
    made = turns(first, second, elsewhere)
    assert made.free() == {first, elsewhere}
    assert not made.is_free(Call(A, read=False))
    assert not made.is_free(Call(A))
    assert made.is_free(Call(SHARED, read=False))


def test_beside_a_call_are_those_in_its_place_and_in_its_queues() -> None:
    unread = [Call(A, read=False), Call(A, read=False), Call(B, read=False)]
    assert turns(*unread).beside(unread[0]) == 1
    shared = [Call(A, SHARED), Call(B, SHARED), Call(B), Call(A, at_limit=True), Call(A, takes_turns=False)]
    assert turns(*shared).beside(shared[0]) == 1
    assert turns(*shared).beside(shared[2]) == 1
