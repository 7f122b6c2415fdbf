"""How requests leave this process and responses come back: the interface that every transport has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from ...errors import UnavailableError
from ...wire.protocol import WireRequest
from .waiter import Waiter

__all__ = ["Receiver", "Transport"]

Receiver = Callable[[Mapping[str, Any]], None]
"""Called with each response, from whatever thread it arrives in; it neither blocks nor raises."""


class Transport(Protocol):
    """Carries requests to the engine that decides them. Every method may be called from any thread."""

    lossy: bool
    """A message may get lost, so that a request without a response is sent again."""

    def connect(self, receiver: Receiver) -> None:
        """Name who takes the responses; called once, before the first request."""
        ...

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        """Send the request without waiting for its response; the same request may be sent again.

        An ``urgent`` request is not delayed so that another one travels with it.
        Raises UnavailableError where nothing can be sent.
        """
        ...

    def wait(self, waiter: Waiter, seconds: float) -> None:
        """Block this thread, which sent a request, until its waiter is woken or for so long; it may return early.

        Meanwhile it may take in responses, its own and those of others.
        """
        ...

    def awaited(self) -> AbstractContextManager[None]:
        """For as long as a task waits for a response: they are taken in though no thread is in `wait`."""
        ...

    def withdraw(self, request_id: str) -> bool:
        """Drop a request that was kept back; False if it has gone out, or may have."""
        ...

    def silence(self, seconds: float) -> UnavailableError:
        """The error to raise when there was no response for so long."""
        ...
