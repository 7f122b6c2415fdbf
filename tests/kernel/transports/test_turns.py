"""Threads and tasks that wait for one connection: one reads for all, and each of them gets its response."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

import pytest

from aumos_governance.kernel.transports.waiter import Turns, Waiter
from aumos_governance.wire.line_channel import LineChannel
from tests.bridge.live_server import until


class Source:
    """A source whose input is functions, which the reading thread calls; None is the end."""

    def __init__(self) -> None:
        self.coming: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self.reader: int | None = None
        self.ended = False
        self.awake: list[float] = []

    def read(self, seconds: float | None = None, *, awake: float = 0.0) -> bool:
        assert self.reader is None, "two read at once"
        self.awake.append(awake)
        self.reader = threading.get_ident()
        try:
            came = None if self.ended else self.coming.get(timeout=seconds)
        except Empty:
            return True
        finally:
            self.reader = None
        self.ended = came is None
        if came is not None:
            came()
        return not self.ended

    def wake(self) -> None:
        self.coming.put(lambda: None)


class Client:
    """A thread that waits for its response."""

    def __init__(self, turns: Turns) -> None:
        self.responded = False
        self.open = True
        self._turns = turns
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self._ready.wait(20)

    def _run(self) -> None:
        self.waiter = Waiter()
        self._ready.set()
        while self.open and not self.responded:
            self.open = self._turns.wait(self.waiter, 20)
            self.waiter.rest()

    def respond(self) -> None:
        self.responded = True
        self.waiter.wake()

    def done(self) -> None:
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def source() -> Source:
    return Source()


def reads(source: Source, thread: threading.Thread) -> None:
    until(lambda: source.reader == thread.ident, "that thread reads")


def test_one_reads_for_all_and_gives_its_turn_on(source: Source) -> None:
    turns = Turns(source, lambda: False)
    first = Client(turns)
    reads(source, first.thread)
    others = [Client(turns) for _ in range(7)]
    until(lambda: len(turns._others) == 7, "they sleep")
    source.coming.put(others[3].respond)
    others[3].done()
    assert source.reader in (None, first.thread.ident), "its turn lasts until it has its answer"
    source.coming.put(first.respond)
    first.done()
    for client in others:
        source.coming.put(client.respond)
    for client in others:
        client.done()


def test_only_who_waits_alone_keeps_awake(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aumos_governance.kernel.transports.waiter._AWAKE_SECONDS", 0.25)
    turns = Turns(source, lambda: False)
    first = Client(turns)
    reads(source, first.thread)
    second = Client(turns)
    until(lambda: len(turns._others) == 1, "the second sleeps")
    source.coming.put(lambda: None)
    until(lambda: len(source.awake) == 2, "the first reads again")
    source.coming.put(first.respond)
    first.done()
    reads(source, second.thread)
    source.coming.put(second.respond)
    second.done()
    assert source.awake == [0.25, 0.0, 0.25]


def test_a_thread_that_is_woken_from_elsewhere_leaves_its_turn(source: Source) -> None:
    turns = Turns(source, lambda: False)
    first = Client(turns)
    reads(source, first.thread)
    second = Client(turns)
    first.respond()
    first.done()
    reads(source, second.thread)
    second.respond()
    second.done()


def test_tasks_are_read_for_and_a_thread_takes_over_when_there_are_none(source: Source) -> None:
    tasks = [1]
    turns = Turns(source, lambda: bool(tasks))
    task_reader = threading.Thread(target=turns.read_for_tasks, daemon=True)
    task_reader.start()
    reads(source, task_reader)
    client = Client(turns)
    reads(source, task_reader)
    tasks.clear()
    other = Client(turns)
    until(lambda: source.reader in (client.thread.ident, other.thread.ident), "a thread reads for itself")
    tasks.append(2)
    turns.wake_task_reader()
    for waiting in (client, other):
        source.coming.put(waiting.respond)
    for waiting in (client, other):
        waiting.done()
    reads(source, task_reader)
    source.coming.put(None)
    task_reader.join(20)
    assert not task_reader.is_alive()


def test_at_the_end_no_thread_is_left_waiting_for_it(source: Source) -> None:
    turns = Turns(source, lambda: False)
    task_reader = threading.Thread(target=turns.read_for_tasks, daemon=True)
    task_reader.start()
    clients = [Client(turns) for _ in range(3)]
    source.coming.put(None)
    for client in clients:
        client.done()
    assert not any(client.open for client in clients)
    task_reader.join(20)
    assert not task_reader.is_alive()


@pytest.mark.usefixtures("interrupts")
def test_an_interrupted_reader_gives_its_turn_back(source: Source) -> None:
    turns = Turns(source, lambda: False)
    source.coming.put(lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        turns.wait(Waiter(), 20)
    after = Client(turns)
    reads(source, after.thread)
    source.coming.put(after.respond)
    after.done()


@pytest.mark.usefixtures("interrupts")
@pytest.mark.parametrize("midway", [True, False], ids=["in a line", "while waiting"])
def test_only_an_interrupt_that_may_have_lost_something_ends_the_connection(midway: bool) -> None:
    near, far = socket.socketpair()
    lines: list[bytes] = []

    def take(line: bytes) -> None:
        lines.append(line)
        if line == b"press":
            signal.raise_signal(signal.SIGINT)

    channel = LineChannel(near, take, lambda: None, longest=100)
    pressed = threading.Timer(0.1, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    with far:
        if midway:
            far.sendall(b"press\nnext\n")
        else:
            pressed.start()
        with pytest.raises(KeyboardInterrupt):
            channel.read(20)
        far.settimeout(20)
        if midway:
            assert channel.read(0) is False
            assert far.recv(10) == b""
        else:
            far.sendall(b"next\n")
            assert channel.read(20) is True
            assert lines == [b"next"]
            channel.close()
