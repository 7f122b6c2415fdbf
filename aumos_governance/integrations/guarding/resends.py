"""Requests that an HTTP client or transport of the user's own sends more than once: each one is held.

httpx passes the extension ``trace`` of a request on to its connections, which call it as they send and receive
(httpcore, "Request extensions"). So a request is seen where it really goes out, however often, and whatever wraps it.
"""

from __future__ import annotations

import threading
from types import NoneType
from typing import Any, Final, Protocol

from .libraries import is_of_library

__all__ = ["Sends", "may_send_again"]

_HTTP_LIBRARIES: Final = ("httpx", "httpx2")
"""Their clients and transports, and those that the providers' libraries make of them, send a request again only after a
redirect or an error, which costs nothing."""


def may_send_again(client: Any) -> bool:
    """Whether a client's HTTP client, or a transport of it, is of a class that may send a request more than once."""
    http_client = getattr(client, "_client", None)
    if not (_is_known(type(http_client)) and _is_known(type(getattr(http_client, "_transport", None)))):
        return True
    mounts = getattr(http_client, "_mounts", None)
    return bool(mounts) and isinstance(mounts, dict) and not all(_is_known(type(mount)) for mount in mounts.values())


def _is_known(kind: type[Any]) -> bool:
    # A client may have none, and no transport for an address.
    return kind is NoneType or kind.__module__.partition(".")[0] in _HTTP_LIBRARIES or is_of_library(kind)


class _Attempt(Protocol):
    """The attempt whose request it is."""

    def again(self) -> None:
        """Hold for another sending of the request."""
        ...

    async def again_async(self) -> None:
        """As `again`."""
        ...


class Sends:
    """Counts how often an attempt's request goes out, and how many of these may have to be paid."""

    def __init__(self, attempt: _Attempt, extensions: dict[str, Any], *, awaited: bool) -> None:
        self._attempt = attempt
        self._lock = threading.Lock()
        self._former = extensions.get("trace")
        self._held = 1
        self.unpaid_for = 0
        """How many were sent and got no error response."""
        extensions["trace"] = self._trace_async if awaited else self._trace

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if self._former is not None:
            self._former(event, info)
        if self._needs_hold(event, info):
            self._attempt.again()

    async def _trace_async(self, event: str, info: dict[str, Any]) -> None:
        if self._former is not None:
            await self._former(event, info)
        if self._needs_hold(event, info):
            await self._attempt.again_async()

    def _needs_hold(self, event: str, info: dict[str, Any]) -> bool:
        kind = event.partition(".")[2]
        with self._lock:
            if kind == "send_request_headers.started":
                self.unpaid_for += 1
                if self.unpaid_for > self._held:
                    self._held += 1
                    return True
            elif kind == "receive_response_headers.complete" and _is_error(info.get("return_value")):
                self.unpaid_for -= 1
        return False


def _is_error(received: Any) -> bool:
    # HTTP/1.1 gives the version before the status, HTTP/2 the status first.
    status = next((part for part in received or () if isinstance(part, int)), 200)
    return not 200 <= status < 300
