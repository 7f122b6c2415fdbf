"""The threads that read the ledger for kernels: kernels take turns."""

from __future__ import annotations

import threading

import pytest

from aumos_governance.server.kernels.readers import Readers


def test_kernels_take_turns_and_keep_their_order() -> None:
    readers = Readers(1)
    begun, let, done = threading.Event(), threading.Event(), []
    readers.of("first").submit(lambda: (begun.set(), let.wait(20)))
    assert begun.wait(20)
    flood, quiet = readers.of("a"), readers.of("b")
    for number in range(50):
        flood.submit(done.append, f"a{number}")
    for number in range(2):
        quiet.submit(done.append, f"b{number}")
    let.set()
    readers.shutdown()
    assert done[:5] == ["a0", "b0", "a1", "b1", "a2"]
    assert done[5:] == [f"a{number}" for number in range(3, 50)]


def test_one_that_fails_keeps_no_other_from_its_turn() -> None:
    readers = Readers(1)
    done: list[int] = []
    failing = readers.of("a").submit(lambda: 1 / 0)
    readers.of("a").submit(done.append, 1)
    readers.shutdown()
    assert isinstance(failing.exception(), ZeroDivisionError)
    assert done == [1]


def test_nothing_is_taken_after_the_end() -> None:
    readers = Readers(1)
    readers.shutdown()
    with pytest.raises(RuntimeError):
        readers.of("a").submit(print)
