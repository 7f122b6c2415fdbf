"""The interface of transports, which carry a process's requests to the service and the responses back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from ...errors import UnavailableError
from ...wire.protocol import WireRequest
from .waiter import Waiter

Receiver = Callable[[Mapping[str, Any]], None]
"""Called with each response, in the thread that receives the response; it must neither block nor raise."""


class Transport(Protocol):
    """Carries requests to the service that decides them. Every method may be called from any thread."""

    lossy: bool
    """Whether messages may be lost. If so, the client sends a request again if no response arrives."""

    def connect(self, receiver: Receiver) -> None:
        """Pass responses to ``receiver`` from now on; called once, before the first request."""
        ...

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        """Send the request without waiting for its response. The same request may be sent again.

        A transport may hold requests back to send several in one message, except an ``urgent`` request. Raises
        UnavailableError if nothing can be sent.
        """
        ...

    def wait(self, waiter: Waiter, seconds: float) -> None:
        """Block this thread until ``waiter`` is woken or ``seconds`` are over; it may return earlier.

        Meanwhile this thread may receive responses and pass them on, also the responses to other threads' requests.
        """
        ...

    def awaited(self) -> AbstractContextManager[None]:
        """Return a context for an asyncio task that waits for a response; within it, the task need not call `wait`."""
        ...

    def withdraw(self, request_id: str) -> bool:
        """Drop a request that is still held back, and return True; return False if it may have been sent already."""
        ...

    def silence(self, seconds: float) -> UnavailableError:
        """Return the error to raise when there was no response for ``seconds``."""
        ...


class ReceivingTransport:
    """A base class of transports whose responses arrive in another thread; by default, no request is held back."""

    _receiver: Receiver | None = None

    def connect(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def wait(self, waiter: Waiter, seconds: float) -> None:
        waiter.sleep(seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return nullcontext()

    def withdraw(self, request_id: str) -> bool:
        return False
