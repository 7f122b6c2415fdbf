"""Carries requests over a local socket that the kernel's server offers. It is fast and sends nothing to browsers.

The server describes the socket in its *offer*: an address, and a token that proves that the kernel may use it. The
kernel's process and each process forked from it have connections of their own.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from ...errors import InvalidRequestError, ServerUnreachableError, UnavailableError
from ...wire.line_channel import LineChannel
from ...wire.protocol import MAX_LINE, PROTOCOL_VERSION, WireRequest, parse_responses, requests_message, socket_proof
from .transport import Receiver
from .waiter import Turns, Waiter

_CONNECT_SECONDS: Final = 2.0
_GREETING_BYTES: Final = 8192
_TRIES: Final = 3
"""How many connections a process without another transport makes at most to send one request."""


class _SocketConnection:
    """One connection of this process to the server's socket.

    `start` starts a thread that connects, and then reads responses for asyncio tasks. Threads that wait for a response
    read the connection themselves.
    """

    def __init__(self, offer: Mapping[str, Any], take: Callable[[bytes], None], tasks: Callable[[], bool]) -> None:
        self.offer = offer
        self.met = False
        """Whether the server has accepted the token. If so, the same offer may be used for another connection after
        this one."""
        self.ended = False
        self.problem = ""
        self.settled = threading.Event()
        """Set when it is certain whether the connection can be used: the server has accepted or refused the token, or
        connecting has failed."""
        self._take = take
        self._tasks = tasks
        self._channel: LineChannel | None = None
        self._turns: Turns | None = None

    def start(self) -> None:
        try:
            threading.Thread(target=self._run, name="aumos-governance", daemon=True).start()
        except RuntimeError as error:
            # The interpreter is ending and starts no more threads.
            self._end(str(error))

    @property
    def ready(self) -> bool:
        return self.met and not self.ended

    def send(self, line: bytes) -> bool:
        if self._channel is None or self.ended:
            return False
        if self._channel.send(line):
            return True
        self._end("")
        return False

    def wait(self, waiter: Waiter, seconds: float) -> None:
        """Wait as `SocketTransport.wait` does. The connection must be ready."""
        assert self._turns is not None
        if not self._turns.wait(waiter, seconds):
            self._end("")

    def wake_task_reader(self) -> None:
        """Make the connection's thread read, because an asyncio task has begun to wait for a response."""
        if self._turns is not None:
            self._turns.wake_task_reader()

    def abandon(self) -> None:
        """Close this forked child's copy of the connection; the parent process still uses the connection."""
        if self._channel is not None:
            self._channel.abandon()

    def _run(self) -> None:
        try:
            with _connected(self.offer["address"]) as connection:
                received = self._greet(connection)
                channel = LineChannel(connection, self._take, lambda: None, longest=MAX_LINE, received=received)
                self._channel = channel
                self._turns = Turns(channel, self._tasks)
                self.met = True
                self.settled.set()
                self._turns.read_for_tasks()
                channel.close()
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._end(str(error))
        finally:
            self._end("")

    def _greet(self, connection: socket.socket) -> bytes:
        challenge = os.urandom(16).hex()
        greeting = {"v": PROTOCOL_VERSION, "token": self.offer["token"], "challenge": challenge}
        connection.sendall(json.dumps(greeting).encode() + b"\n")
        received = b""
        while b"\n" not in received:
            data = connection.recv(_GREETING_BYTES)
            if not data or len(received) > _GREETING_BYTES:
                raise ConnectionError("the server ended the connection")
            received += data
        line, _, rest = received.partition(b"\n")
        response = json.loads(line)
        if not isinstance(response, dict):
            raise ConnectionError("the response at its address cannot be read")
        if response.get("ok") is not True:
            raise ConnectionError(str(response.get("message")))
        if not hmac.compare_digest(str(response.get("proof")), socket_proof(str(self.offer["secret"]), challenge)):
            raise ConnectionError("the process at its address is not the server that offered it")
        return rest

    def _end(self, problem: str) -> None:
        self.problem = self.problem or problem
        self.ended = True
        self.settled.set()
        if self._turns is not None:
            self._turns.end()


class SocketTransport:
    """Sends requests over the server's local socket while this process is connected to it.

    Every method may be called from any thread, and in a forked child. ``receiver`` is called with each response.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._lock = threading.Lock()
        self._connection: _SocketConnection | None = None
        self._offer: Mapping[str, Any] | None = None
        self._tasks: set[object] = set()
        self.forked = False
        """Whether this process is a forked child of the process that made this object. Reading this is faster than
        ``os.getpid``."""
        self.problem = ""
        """The text of the latest message that was not a response to a request, for error messages; empty if there was
        none."""
        self.offered = False
        """Whether the server has ever offered a socket. Without an offer this transport is not used."""
        _transports.add(self)

    def take_offer(self, offer: object) -> None:
        """Begin to connect to the socket that ``offer``, a part of the server's greeting, describes; do not wait.

        If ``offer`` is not a mapping, the server offers no socket, and this transport is not connected.
        """
        with self._lock:
            self._offer = offer if isinstance(offer, Mapping) else None
            self.offered = self.offered or self._offer is not None
            if self._connection is None or self._connection.ended or self._connection.offer != self._offer:
                self._connect()

    def send(self, request: WireRequest) -> bool:
        """Send the request without waiting, and return True; return False if the socket is not connected."""
        connection = self._connection
        if connection is None or not connection.ready:
            if connection is None or not connection.ended:
                return False
            with self._lock:
                if self._connection is connection:
                    # If the connection worked before, connect again; if it never worked, do not use its offer again.
                    self._offer = self._offer if connection.met else None
                    self._connect()
            return False
        return connection.send(_encoded(request))

    def send_from_child(self, request: WireRequest) -> None:
        """Send the request from a process that has no other transport; connect first if necessary.

        Connecting blocks the thread for at most two seconds each of `_TRIES` times. Raises UnavailableError if the
        server cannot be reached.
        """
        why = ""
        for _ in range(_TRIES):
            with self._lock:
                if self._connection is None or self._connection.ended:
                    self._connect()
                connection = self._connection
            if connection is None:
                raise UnavailableError(
                    "A forked process can reach the governance server only over its local socket, which it does not"
                    " offer, so nothing is authorised here; make the call in the notebook's own process, before the"
                    " work is handed out."
                )
            connection.settled.wait(_CONNECT_SECONDS)
            if connection.send(_encoded(request)):
                return
            why = connection.problem
            if not connection.met:
                break
            # The connection worked and ended meanwhile, perhaps since another thread was interrupted while it read.
        raise ServerUnreachableError(
            "This process cannot reach the governance server over its local socket"
            f" ({why or 'it does not respond'}), so nothing is authorised here; check that the notebook's Jupyter"
            " server runs."
        )

    def wait(self, waiter: Waiter, seconds: float) -> None:
        """Block this thread until ``waiter`` is woken or ``seconds`` are over.

        Meanwhile this thread may read responses, its own and those of other threads.
        """
        connection = self._connection
        if connection is not None and connection.ready:
            connection.wait(waiter, seconds)
        else:
            waiter.sleep(seconds)

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Return a context in which an asyncio task waits for a response.

        The task must not read the socket, which would block its event loop. So within the context the connection's
        thread reads the responses.
        """
        task = object()
        self._tasks.add(task)
        try:
            connection = self._connection
            if connection is not None:
                connection.wake_task_reader()
            yield
        finally:
            self._tasks.discard(task)

    def forget_parent(self) -> None:
        """Close this process's copy of its parent's connection. It is called in a child that was just forked."""
        self.forked = True
        # Another thread of the parent may have held the lock.
        self._lock = threading.Lock()
        self._tasks = set()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()

    def _connect(self) -> None:
        connection = (
            None if self._offer is None else _SocketConnection(self._offer, self._take, lambda: bool(self._tasks))
        )
        if connection is not None:
            connection.start()
        # The connection is stored last: if an interrupt came before `start`, other threads would wait for it forever.
        self._connection = connection

    def _take(self, line: bytes) -> None:
        try:
            responses = parse_responses(_decode(line.decode()))
        except (ValueError, RecursionError) as error:
            # InvalidRequestError is a ValueError.
            self.problem = error.message if isinstance(error, InvalidRequestError) else "something unreadable"
            return
        for response in responses:
            if response.get("id") is None:
                self.problem = str(response.get("message"))
            else:
                self._receiver(response)


_transports: weakref.WeakSet[SocketTransport] = weakref.WeakSet()


def _forget_parents() -> None:
    for transport in tuple(_transports):
        transport.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)


def _connected(address: object) -> socket.socket:
    if isinstance(address, str):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(address)
        except BaseException:
            connection.close()
            raise
        return connection
    if not isinstance(address, (list, tuple)) or len(address) != 2:
        raise ValueError("its address cannot be read")
    connection = socket.create_connection((str(address[0]), int(address[1])), _CONNECT_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


_encode: Final = json.JSONEncoder(separators=(",", ":")).encode
_decode: Final = json.JSONDecoder().decode


def _encoded(request: WireRequest) -> bytes:
    return _encode(requests_message([request])).encode() + b"\n"
