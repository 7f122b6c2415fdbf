"""Lines over a socket: all are delivered, separately and in order, whether the reader polls or sleeps."""

from __future__ import annotations

import select
import socket
import threading
import time

import pytest

from aumos_governance.wire import line_channel
from aumos_governance.wire.line_channel import LineChannel


def test_a_channel_keeps_what_does_not_fit_and_gives_up_in_time() -> None:
    near, far = socket.socketpair()
    channel = LineChannel(near, lambda line: None, lambda: None, longest=100)
    thread = threading.Thread(target=channel.run, daemon=True)
    thread.start()
    line = b"x" * 99_999 + b"\n"
    sent = 0
    while channel.send(line):
        sent += 1
        assert sent < 1_000, "a channel must not keep everything"
    assert sent > 10
    assert channel.send(b"late\n") is False
    thread.join(20)
    assert not thread.is_alive()
    far.close()


def test_a_channel_delivers_in_order_what_it_kept() -> None:
    near, far = socket.socketpair()
    channel = LineChannel(near, lambda line: None, lambda: None, longest=100)
    thread = threading.Thread(target=channel.run, daemon=True)
    thread.start()
    for number in range(20_000):
        assert channel.send(b"%06d\n" % number)
    with far, far.makefile("rb") as lines:
        assert [int(lines.readline()) for _ in range(20_000)] == list(range(20_000))
        channel.close()
        assert lines.readline() == b""
    thread.join(20)
    assert not thread.is_alive()


def test_a_channel_states_which_line_came_alone() -> None:
    near, far = socket.socketpair()
    heard: list[tuple[bytes, bool]] = []
    channel = LineChannel(near, lambda line: heard.append((line, channel.alone)), lambda: None, longest=100)
    with far:
        for sent in (b"one\n", b"two\nthree\n", b"four\nfi", b"ve\n", b"si", b"x\n"):
            far.send(sent)
            assert channel.read(10)
        channel.close()
    assert [line for line, alone in heard if alone] == [b"one", b"five", b"six"]
    assert [line for line, alone in heard if not alone] == [b"two", b"three", b"four"]


class Poll:
    """Wraps the system's poll object: records the time-outs, and sends a line to the channel at the given poll."""

    def __init__(self, poll: select.poll, looks: int, far: socket.socket) -> None:
        self.register, self._poll = poll.register, poll.poll
        self._looks = looks
        self._far = far
        self.waits: list[float | None] = []

    def poll(self, milliseconds: float | None) -> list[tuple[int, int]]:
        self.waits.append(milliseconds)
        if len(self.waits) == self._looks:
            self._far.send(b"line\n")
        return self._poll(milliseconds)


@pytest.mark.parametrize(("looks", "awake", "sleeps"), [(3, 10.0, False), (3, 0.0, True), (2, 1e-9, True)])
def test_a_channel_sleeps_only_after_it_was_awake(
    monkeypatch: pytest.MonkeyPatch, looks: int, awake: float, sleeps: bool
) -> None:
    near, far = socket.socketpair()
    poll = Poll(select.poll(), looks, far)
    monkeypatch.setattr(line_channel.select, "poll", lambda: poll)
    heard: list[bytes] = []
    channel = LineChannel(near, heard.append, lambda: None, longest=100)
    with far:
        if not awake:
            far.send(b"line\n")
        assert channel.read(10, awake=awake)
        channel.close()
    assert heard == [b"line"]
    assert poll.waits[-1] == (10_000 if sleeps else 0)
    assert poll.waits[:-1] == [0] * (len(poll.waits) - 1)


def test_a_channel_that_is_awake_is_woken_all_the_same() -> None:
    near, far = socket.socketpair()
    with far:
        channel = LineChannel(near, lambda line: None, lambda: None, longest=100)
        channel.wake()
        began = time.monotonic()
        assert channel.read(10, awake=10)
        assert time.monotonic() - began < 5
        channel.close()
