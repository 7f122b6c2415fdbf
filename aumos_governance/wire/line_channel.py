"""Lines of bytes over a socket: sending never waits, and a connection whose other end does not read is closed."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..clock import monotonic

__all__ = ["LineChannel"]

_CHUNK: Final = 64 * 1024
_MOST_UNSENT: Final = 4 * 1024 * 1024
"""The most bytes that wait for a reader before the next line."""


class LineChannel:
    """One connected stream socket, both ends of which speak lines that end with a line feed.

    `send` may be called from any thread. One thread at a time reads, with `read` or `run`, and in it ``on_line`` is
    called with each line, its end taken off, and ``on_too_long`` once for each line above ``longest`` bytes, which is
    passed over. Neither may raise.
    """

    def __init__(
        self,
        connection: socket.socket,
        on_line: Callable[[bytes], None],
        on_too_long: Callable[[], None],
        *,
        longest: int,
        received: bytes = b"",
    ) -> None:
        """``received`` is what was read from the connection before."""
        self._connection = connection
        self._on_line = on_line
        self._on_too_long = on_too_long
        self._longest = longest
        self._lock = threading.Lock()
        self.alone = False
        """Whether the line that is handed on was all that had come, so that none waits behind it."""
        self._received = bytearray(received)
        # Kept, since making room for each reading took longer than reading.
        self._room = memoryview(bytearray(_CHUNK))
        self._too_long = False
        self._reading = False
        self._midway = False
        self._unsent = bytearray()
        self._closed = False
        self._waking, self._woken = socket.socketpair()
        for end in (connection, self._waking, self._woken):
            end.setblocking(False)
        self._waiter = _Waiter(connection, self._woken)

    def send(self, line: bytes) -> bool:
        """Send a line, its end included, without waiting; False when the connection has ended.

        What the other end does not take in at once is kept, up to a limit at which the connection is given up.
        """
        with self._lock:
            if self._closed:
                return False
            if self._unsent:
                if len(self._unsent) > _MOST_UNSENT:
                    self._give_up()
                    return False
                self._unsent += line
                return True
            try:
                sent = self._connection.send(line)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                self._give_up()
                return False
            except BaseException:
                # Interrupted, maybe in the middle of the line: its rest and the next line could not be separated.
                self._give_up()
                raise
            if sent < len(line):
                self._unsent += line[sent:]
                self.wake()
            return True

    def read(self, seconds: float | None = None, *, awake: float = 0.0) -> bool:
        """Wait for what comes, at most so long, and hand the lines on; False when the connection has ended.

        For the first ``awake`` seconds this thread does not sleep, but looks again and again.
        Returns early when woken. An interrupt while it waits changes nothing; a later one ends the connection, since
        it is not known what was lost.
        """
        with self._lock:
            self._reading = not self._closed
        if not self._reading:
            return False
        try:
            return self._take_in(seconds, awake)
        except OSError:
            # The other end is gone.
            self.close()
            return False
        except BaseException:
            if self._midway:
                self.close()
            raise
        finally:
            with self._lock:
                self._reading = False
                if self._closed:
                    self._let_go()

    def run(self) -> None:
        """Read until either side ends the connection."""
        try:
            while self.read():
                pass
        finally:
            self.close()

    def wake(self) -> None:
        """Have `read` return soon, in whatever thread it is."""
        # A full pipe wakes as well.
        with suppress(OSError):
            self._waking.send(b"\0")

    def close(self) -> None:
        """End the connection, from any thread; `read` then returns False. Idempotent."""
        with self._lock:
            self._give_up()

    def abandon(self) -> None:
        """Let go of the sockets in a forked child, where the connection goes on to be its parent's."""
        self._closed = True
        self._let_go()

    def _take_in(self, seconds: float | None, awake: float) -> bool:
        if self._received and not self._too_long and b"\n" in self._received:
            # Read before, with the greeting.
            self._take_lines()
            return not self._closed
        readable, writable, woken = self._waiter.wait(seconds, awake, writing=bool(self._unsent))
        if woken:
            with suppress(BlockingIOError):
                self._woken.recv(4096)
        if writable:
            self._send_unsent()
        if not readable:
            return not self._closed
        self._midway = True
        try:
            length = self._connection.recv_into(self._room)
        except (BlockingIOError, InterruptedError):
            self._midway = False
            return not self._closed
        self._received += self._room[:length]
        self._take_lines()
        self._midway = False
        return length > 0 and not self._closed

    def _take_lines(self) -> None:
        """Hand on the whole lines that were received; what is left may belong to a line that is too long already."""
        received, start = self._received, 0
        while not self._closed:
            end = received.find(b"\n", start)
            if end < 0:
                break
            if not self._too_long and end - start <= self._longest:
                self.alone = start == 0 and end + 1 == len(received)
                self._on_line(bytes(received[start:end]))
            elif not self._too_long:
                self._on_too_long()
            self._too_long = False
            start = end + 1
        del received[:start]
        if len(received) > self._longest:
            if not self._too_long:
                self._on_too_long()
            self._too_long = True
        if self._too_long:
            received.clear()

    def _send_unsent(self) -> None:
        with self._lock, suppress(BlockingIOError, InterruptedError):
            sent = self._connection.send(self._unsent)
            del self._unsent[:sent]

    def _give_up(self) -> None:
        if not self._closed:
            self._closed = True
            self._unsent.clear()
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            if self._reading:
                self.wake()
            else:
                self._let_go()

    def _let_go(self) -> None:
        for end in (self._connection, self._waking, self._woken):
            end.close()


class _Waiter:
    """Waits for one connection, or to be woken; `selectors` takes thrice the time, twice a request."""

    def __init__(self, connection: socket.socket, woken: socket.socket) -> None:
        self._connection = connection
        self._woken = woken
        self._writing = False
        self._numbers = (connection.fileno(), woken.fileno())
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            for number in self._numbers:
                self._poll.register(number, select.POLLIN)

    def wait(self, seconds: float | None, awake: float, *, writing: bool) -> tuple[bool, bool, bool]:
        """Whether the connection can be read, and written to, and whether we were woken."""
        connection, woken = self._numbers
        if self._poll is None:
            ends = [self._connection, self._woken]
            readable, writable, _ = select.select(ends, ends[:1] if writing else [], [], seconds)
            return ends[0] in readable, bool(writable), ends[1] in readable
        if writing != self._writing:
            self._poll.modify(connection, select.POLLIN | (select.POLLOUT if writing else 0))
            self._writing = writing
        events = self._poll.poll(0) if awake else []
        until = monotonic() + awake
        while not events and monotonic() < until:
            events = self._poll.poll(0)
        found = dict(events or self._poll.poll(None if seconds is None else seconds * 1e3))
        news = found.get(connection, 0)
        # Anything but writing is to be read: data, an end, or an error.
        return bool(news & ~select.POLLOUT), bool(news & select.POLLOUT), woken in found
