"""The way from a kernel to its server: comm to meet it, then the local socket where it offers one that works."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from ...errors import UnavailableError
from ...wire.protocol import Ask
from .comm_transport import CommTransport
from .socket_transport import SocketTransport
from .spawned import leave_offer
from .transport import Receiver
from .waiter import Waiter

__all__ = ["ServerTransport"]


class ServerTransport:
    """Sends each ask the fastest way there is at that moment.

    What was lost with a connection is sent again by whoever waits for it, and then goes another way.
    """

    lossy = True

    def __init__(self, comm: CommTransport, incarnation: str) -> None:
        """``incarnation`` is what this process says hello with; what it starts is let in for it."""
        self._comm = comm
        self._incarnation = incarnation
        self._socket = SocketTransport(self._take)
        self._receiver: Receiver | None = None

    def connect(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._comm.connect(self._take)

    def send(self, ask: Ask, *, urgent: bool = False) -> None:
        if self._socket.forked:
            # Comm is the parent's.
            self._socket.send_from_child(ask)
        elif ask.op == "hello" or not self._socket.send(ask):
            # A server is met where it cannot be mistaken for another: on the kernel's own channels.
            self._comm.send(ask, urgent=urgent)

    def wait(self, waiter: Waiter, seconds: float) -> None:
        # Whichever way an ask went: an answer over comm wakes its thread, wherever that waits.
        self._socket.wait(waiter, seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return self._socket.awaited()

    def withdraw(self, ask_id: str) -> bool:
        return self._comm.withdraw(ask_id)

    def silence(self, seconds: float) -> UnavailableError:
        return self._comm.silence(seconds, self._socket.problem)

    def _take(self, answer: Mapping[str, Any]) -> None:
        if "socket" in answer and not self._socket.forked:
            self._socket.take_offer(answer["socket"])
            leave_offer(answer["socket"], self._incarnation)
        if self._receiver is not None:
            self._receiver(answer)
