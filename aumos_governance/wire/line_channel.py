"""`LineChannel`, which sends and receives lines of bytes over the local socket between a kernel and its server."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from ..clock import monotonic

_CHUNK: Final = 64 * 1024
_MOST_UNSENT: Final = 4 * 1024 * 1024
"""If more bytes than this are still unsent when the next line is to be sent, the connection is closed, since the other
end does not read."""


class LineChannel:
    """One end of a connection over which both ends send lines that end with a line feed.

    Any thread may call `send`, which never waits. Only one thread at a time may call `read` or `run`. These call
    ``on_line`` with each received line, without its line feed. They skip a line of more than ``longest`` bytes and call
    ``on_too_long`` instead. Neither function may raise.
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
        """Take over a connected stream socket. ``received`` are the bytes that the caller has already read from it."""
        self._connection = connection
        self._on_line = on_line
        self._on_too_long = on_too_long
        self._longest = longest
        self._lock = threading.Lock()
        self.alone = False
        """Whether the line that ``on_line`` is called with was the only one received, so that no other line waits."""
        self._received = bytearray(received)
        # One buffer for all reads, since allocating it took longer than reading.
        self._buffer = memoryview(bytearray(_CHUNK))
        self._too_long = False
        self._reading = False
        self._receiving = False
        """Whether bytes were read from the socket and not all passed on yet. An interrupt now may lose some of them."""
        self._unsent = bytearray()
        self._closed = False
        self._waking, self._woken = socket.socketpair()
        for end in (connection, self._waking, self._woken):
            end.setblocking(False)
        self._waiter = _Waiter(connection, self._woken)

    def send(self, line: bytes) -> bool:
        """Send ``line``, which must end with a line feed, without waiting. Returns False if the connection has ended.

        If the other end does not accept all bytes at once, `read` sends the rest later. If more than 4 MiB are still
        unsent when this method is called, it closes the connection.
        """
        with self._lock:
            if self._closed:
                return False
            if self._unsent:
                if len(self._unsent) > _MOST_UNSENT:
                    self._end()
                    return False
                self._unsent += line
                return True
            try:
                sent = self._connection.send(line)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                self._end()
                return False
            except BaseException:
                # The line may have been sent only in part; the other end would read the next line as the rest of it.
                self._end()
                raise
            if sent < len(line):
                self._unsent += line[sent:]
                self.wake()
            return True

    def read(self, seconds: float | None = None, *, awake: float = 0.0) -> bool:
        """Wait for bytes once, and pass complete lines to ``on_line``. Returns False if the connection has ended.

        This method polls for ``awake`` seconds without sleeping, which notices bytes sooner, and then sleeps for at
        most ``seconds`` (None is no limit), or until `wake` is called. An interrupt while it waits leaves the
        connection as it is. An interrupt while it passes lines on closes the connection, since lines may have been
        lost.
        """
        with self._lock:
            self._reading = not self._closed
        if not self._reading:
            return False
        try:
            return self._receive(seconds, awake)
        except OSError:
            # The other end has closed the connection.
            self.close()
            return False
        except BaseException:
            if self._receiving:
                self.close()
            raise
        finally:
            with self._lock:
                self._reading = False
                if self._closed:
                    self._close_sockets()

    def run(self) -> None:
        """Receive lines, and pass them to ``on_line``, until either end closes the connection."""
        try:
            while self.read():
                pass
        finally:
            self.close()

    def wake(self) -> None:
        """End the wait of a `read` in another thread, which then returns soon."""
        # If the socket pair is full, `read` has bytes that wake it anyway.
        with suppress(OSError):
            self._waking.send(b"\0")

    def close(self) -> None:
        """Close the connection; `read` then returns False. Any thread may call this, and more than once."""
        with self._lock:
            self._end()

    def abandon(self) -> None:
        """Close the sockets in a forked child, without ending the connection, which the parent still uses."""
        self._closed = True
        self._close_sockets()

    def _receive(self, seconds: float | None, awake: float) -> bool:
        if self._received and not self._too_long and b"\n" in self._received:
            # These lines were received together with the greeting.
            self._deliver_lines()
            return not self._closed
        readable, writable, woken = self._waiter.wait(seconds, awake, writing=bool(self._unsent))
        if woken:
            with suppress(BlockingIOError):
                self._woken.recv(4096)
        if writable:
            self._send_unsent()
        if not readable:
            return not self._closed
        self._receiving = True
        try:
            length = self._connection.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            self._receiving = False
            return not self._closed
        self._received += self._buffer[:length]
        self._deliver_lines()
        self._receiving = False
        return length > 0 and not self._closed

    def _deliver_lines(self) -> None:
        """Call ``on_line`` with each complete received line, and drop an incomplete line that is already too long."""
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

    def _end(self) -> None:
        """Shut the connection down; the caller must hold the lock.

        If a thread is in `read`, that thread closes the sockets itself.
        """
        if not self._closed:
            self._closed = True
            self._unsent.clear()
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
            if self._reading:
                self.wake()
            else:
                self._close_sockets()

    def _close_sockets(self) -> None:
        for end in (self._connection, self._waking, self._woken):
            end.close()


class _Waiter:
    """The wait for a socket to be ready or for a wake-up, with ``poll`` or else ``select``.

    The module ``selectors`` would take three times as long. ``woken`` is the socket on which wake-ups arrive.
    """

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
        """Wait until the connection can be read or a wake-up arrives or, with ``writing``, until it can be written.

        Poll for ``awake`` seconds without sleeping, then sleep for at most ``seconds`` (None is no limit). Return
        whether the connection can be read, whether it can be written, and whether a wake-up arrived.
        """
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
        ready = dict(events or self._poll.poll(None if seconds is None else seconds * 1e3))
        flags = ready.get(connection, 0)
        # All other flags mean that reading does not block: there is data, the end, or an error.
        return bool(flags & ~select.POLLOUT), bool(flags & select.POLLOUT), woken in ready
