"""Holds the worst case of a request once more each time that a user's own HTTP client or transport sends it again.

httpx passes a request's extension ``trace``, a function, on to its connections. A connection calls the function as it
sends and receives (httpcore, "Request extensions"). So each sending is noticed, whatever wraps the HTTP client.
"""

from __future__ import annotations

import threading
from types import NoneType
from typing import Any, Final, Protocol

from .libraries import is_of_library

_HTTP_LIBRARIES: Final = ("httpx", "httpx2")
"""HTTP libraries whose clients and transports, and the providers' subclasses of these, send a request again only after
a redirect or an error; neither of these costs anything."""


def may_send_again(client: Any) -> bool:
    """Whether the HTTP client within a provider's client may send a request more than once, for example to retry it.

    This is assumed if its class, or the class of one of its transports, is not in `_HTTP_LIBRARIES`.
    """
    http_client = getattr(client, "_client", None)
    if not (_is_known(type(http_client)) and _is_known(type(getattr(http_client, "_transport", None)))):
        return True
    mounts = getattr(http_client, "_mounts", None)
    return bool(mounts) and isinstance(mounts, dict) and not all(_is_known(type(mount)) for mount in mounts.values())


def _is_known(kind: type[Any]) -> bool:
    # NoneType: a client may have no HTTP client, and no transport for an address.
    return kind is NoneType or kind.__module__.partition(".")[0] in _HTTP_LIBRARIES or is_of_library(kind)


class _Attempt(Protocol):
    """The part of `attempts.Attempt` that is needed here."""

    def hold_again(self) -> None:
        """Hold the worst case of the request again, because the request is sent again."""
        ...

    async def hold_again_async(self) -> None:
        """Do what `hold_again` does, without blocking the event loop."""
        ...


class SendCounter:
    """A counter of how often an attempt's request is sent; each time after the first, it holds the worst case again."""

    def __init__(self, attempt: _Attempt, extensions: dict[str, Any], *, awaited: bool) -> None:
        self._attempt = attempt
        self._lock = threading.Lock()
        self._former = extensions.get("trace")
        self._held = 1
        self.chargeable = 0
        """How many times the request was sent and got no error response; each of these may have cost something."""
        extensions["trace"] = self._trace_async if awaited else self._trace

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if self._former is not None:
            self._former(event, info)
        if self._needs_hold(event, info):
            self._attempt.hold_again()

    async def _trace_async(self, event: str, info: dict[str, Any]) -> None:
        if self._former is not None:
            await self._former(event, info)
        if self._needs_hold(event, info):
            await self._attempt.hold_again_async()

    def _needs_hold(self, event: str, info: dict[str, Any]) -> bool:
        kind = event.partition(".")[2]
        with self._lock:
            if kind == "send_request_headers.started":
                self.chargeable += 1
                if self.chargeable > self._held:
                    self._held += 1
                    return True
            elif kind == "receive_response_headers.complete" and _is_error(info.get("return_value")):
                self.chargeable -= 1
        return False


def _is_error(received: Any) -> bool:
    # httpcore's tuple begins with the version and the status for HTTP/1.1, with the status for HTTP/2.
    status = next((part for part in received or () if isinstance(part, int)), 200)
    return not 200 <= status < 300
