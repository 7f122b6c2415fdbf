"""The interface of all transports, which carry requests to the notebook service and the responses back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from ...errors import UnavailableError
from ...wire.protocol import WireRequest
from .waiter import Waiter

Receiver = Callable[[Mapping[str, Any]], None]
"""The type of the function that a transport calls with each response, in the thread that receives it. It must neither
block nor raise."""


class Transport(Protocol):
    """Carries requests to the notebook service and the responses back. Every method may be called from any thread."""

    lossy: bool
    """Whether messages may be lost. If so, the client sends a request again when no response arrives."""

    def connect(self, receiver: Receiver) -> None:
        """Call ``receiver`` with each response from now on. The client calls this once, before its first request."""
        ...

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        """Send a request without waiting for its response. The client may send the same request again.

        A transport may hold requests back to send several in one message, except an ``urgent`` one. Raises
        UnavailableError if nothing can be sent.
        """
        ...

    def wait(self, waiter: Waiter, seconds: float) -> None:
        """Block this thread until ``waiter`` is woken or ``seconds`` are over; it may return earlier.

        Meanwhile this thread may receive responses to any thread's requests and pass them on.
        """
        ...

    def awaited(self) -> AbstractContextManager[None]:
        """Return a context for an asyncio task that waits for a response; in it, the transport reads by itself."""
        ...

    def withdraw(self, request_id: str) -> bool:
        """Drop a request that is still held back, and return True; return False if it may have been sent already."""
        ...

    def silence(self, seconds: float) -> UnavailableError:
        """Return the error to raise after ``seconds`` without a response; its message states what the user can do."""
        ...


class ReceivingTransport:
    """A base class for transports that receive responses in a thread of their own and hold no requests back."""

    _receiver: Receiver | None = None

    def connect(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def wait(self, waiter: Waiter, seconds: float) -> None:
        waiter.sleep(seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return nullcontext()

    def withdraw(self, request_id: str) -> bool:
        return False
