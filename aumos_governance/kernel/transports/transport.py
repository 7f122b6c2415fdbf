"""The interface of transports, which carry a process's requests to the service and the responses back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from ...errors import UnavailableError
from ...wire.protocol import WireRequest
from .waiter import Waiter

__all__ = ["Receiver", "ReceivingTransport", "Transport"]

Receiver = Callable[[Mapping[str, Any]], None]
"""Called with each response, in the thread in which it arrives; it must neither block nor raise."""


class Transport(Protocol):
    """Carries requests to the service that decides them. Every method may be called from any thread."""

    lossy: bool
    """Whether messages may be lost, so that a request without a response is sent again."""

    def connect(self, receiver: Receiver) -> None:
        """Pass responses to ``receiver`` from now on; called once, before the first request."""
        ...

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        """Send the request without waiting for its response; the same request may be sent again.

        An ``urgent`` request is not held back to be sent together with others. Raises UnavailableError where nothing
        can be sent.
        """
        ...

    def wait(self, waiter: Waiter, seconds: float) -> None:
        """Block this thread, which sent a request, until its waiter is woken or ``seconds`` are over, or return early.

        Meanwhile it may receive responses, also those to requests of other threads.
        """
        ...

    def awaited(self) -> AbstractContextManager[None]:
        """Return a context for a task that waits for a response, in which responses are received without `wait`."""
        ...

    def withdraw(self, request_id: str) -> bool:
        """Drop a request that is still held back, and return True; False where it was sent, or may have been."""
        ...

    def silence(self, seconds: float) -> UnavailableError:
        """Return the error to raise where there was no response for ``seconds``."""
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
