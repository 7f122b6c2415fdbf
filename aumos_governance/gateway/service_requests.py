"""Makes the gateway's requests to the notebook service, in the gateway's event loop.

The notebook service is the part of the Jupyter server that decides about calls and records them in the ledger. It takes
the same requests from kernels: ``hold``, ``settle``, ``release`` and others (*operations*).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from ..service.callers import Caller
from ..service.service import NotebookService
from ..wire.protocol import Cell, WireRequest, error_response

_SECONDS: Final = 20.0
"""How long, in seconds, a request may wait for the next message of the service before it fails. The service sends
messages while a call waits for its turn or for a user."""
_SILENT: Final = 2
"""How many checks in a row without a message from the service make a request fail. The checks are spread evenly over
the request's time limit."""
_REPEATED: Final = frozenset(
    {"BUSY", "EXPIRED", "INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "SERVER_UNREACHABLE", "UNAVAILABLE"}
)
"""Codes of error responses after which a posted request is sent again, since the ledger could not record it this
time."""
_LATE: Final = "UNAVAILABLE"
_IN_DOUBT: Final = frozenset({_LATE, "INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "SERVER_UNREACHABLE"})
"""Codes of error responses that leave open whether the request was executed, or will still be executed."""
_PAUSES: Final = (0.05, 0.2, 1.0, 5.0)
"""The pauses, in seconds, before a posted request is sent for the second, third, ... time; the last pause repeats."""


class ServiceRequests:
    """Sends requests to the notebook service and waits for their responses.

    An instance may be used only in one event loop: the one that ran when the instance was made.
    """

    def __init__(
        self, service: NotebookService, log: logging.Logger, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._service = service
        self._log = log
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._posted: set[asyncio.Task[None]] = set()

    async def request(
        self, caller: Caller, op: str, body: Mapping[str, Any], *, seconds: float = _SECONDS
    ) -> dict[str, Any]:
        """Send a request for the operation ``op`` and return the body of its response.

        If the service sends no message for ``seconds``, the returned body has ``ok`` false and the code
        ``UNAVAILABLE``. A call that waits for its turn or for a user may take longer, since the service keeps sending
        messages about it.

        If the operation is ``hold`` and may have been executed, although its response was lost or this task was
        cancelled, a ``cancel`` is posted, which voids the hold.
        """
        request = WireRequest(uuid4().hex, op, self._clock() + seconds, Cell(), body)
        try:
            response = await self._in_time(caller, request, self._loop.create_future(), seconds)
        except asyncio.CancelledError:
            self._take_back(caller, request)
            raise
        if response.get("code") in _IN_DOUBT:
            self._take_back(caller, request)
        return response

    def post(self, caller: Caller, op: str, body: Mapping[str, Any]) -> None:
        """Send a request without waiting for its response.

        In the background, resend it until the ledger has recorded it.
        """
        request = WireRequest(uuid4().hex, op, self._clock() + _SECONDS, Cell(), body)
        # The first copy is sent before this returns, so it precedes whatever the client requests next.
        future: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._send(caller, request, future)
        task = self._loop.create_task(self._until_recorded(caller, request, future))
        self._posted.add(task)
        task.add_done_callback(self._posted.discard)

    async def recorded(self, seconds: float) -> bool:
        """Wait until the ledger has recorded all posted requests, and return True.

        After ``seconds``, stop resending those that are not recorded, and return False.
        """
        if self._posted:
            await asyncio.wait(self._posted, timeout=seconds)
        left = tuple(self._posted)
        for task in left:
            task.cancel()
        return not left

    def _send(
        self,
        caller: Caller,
        request: WireRequest,
        future: asyncio.Future[dict[str, Any]],
        waits: Callable[[], None] | None = None,
    ) -> None:
        loop = self._loop

        def arrived(response: dict[str, Any]) -> None:
            if "waiting" in response:
                if waits is not None:
                    waits()
            elif not future.done():
                future.set_result(response)

        def reply(response: dict[str, Any]) -> None:
            try:
                loop.call_soon_threadsafe(arrived, response)
            except RuntimeError:
                # The gateway's event loop has been closed.
                self._log.debug(
                    "A response of the governance service arrived after the gateway had stopped, and is ignored."
                )

        self._service.submit(caller, request, reply)

    async def _in_time(
        self,
        caller: Caller,
        request: WireRequest,
        future: asyncio.Future[dict[str, Any]],
        seconds: float,
        *,
        sent: bool = False,
    ) -> dict[str, Any]:
        """Return the response to a request, or an error response if the service sends no message for ``seconds``.

        ``sent`` is whether the request was sent before; its response then arrives in ``future``.
        """
        loop, heard, silent = self._loop, False, 0
        timer: asyncio.TimerHandle

        def waits() -> None:
            nonlocal heard
            heard = True

        def look() -> None:
            nonlocal heard, silent, timer
            silent = 0 if heard else silent + 1
            if silent == _SILENT and not future.done():
                future.set_result(error_response(request.id, _LATE, "The governance ledger did not respond in time."))
                return
            if heard:
                # A copy of the request renews the time for which the service lets it wait.
                heard = False
                self._send(caller, replace(request, exp=self._clock() + seconds), future, waits)
            timer = loop.call_later(seconds / _SILENT, look)

        if not sent:
            self._send(caller, request, future, waits)
        # `asyncio.wait_for` may swallow the cancellation of its task before Python 3.12.
        timer = loop.call_later(seconds / _SILENT, look)
        try:
            return await future
        finally:
            timer.cancel()

    async def _until_recorded(
        self, caller: Caller, request: WireRequest, future: asyncio.Future[dict[str, Any]]
    ) -> None:
        number, sent = 0, True
        while True:
            response = await self._in_time(caller, request, future, _SECONDS, sent=sent)
            if response.get("ok") or response.get("code") not in _REPEATED:
                break
            if not number:
                self._log.warning(
                    "The ledger has not recorded the gateway's request %r yet, so it is sent again until it is: %s",
                    request.op,
                    response.get("message"),
                )
            await asyncio.sleep(_PAUSES[min(number, len(_PAUSES) - 1)])
            number, sent = number + 1, False
            request, future = replace(request, exp=self._clock() + _SECONDS), self._loop.create_future()
        if not response.get("ok") and request.op != "adjust":
            # The refusal of an adjustment is normal: the response was charged exactly, so there is nothing to adjust.
            self._log.warning(
                "The governance service refused the gateway's request %r, so it is not recorded: %s",
                request.op,
                response.get("message"),
            )

    def _take_back(self, caller: Caller, request: WireRequest) -> None:
        if request.op == "hold":
            self.post(caller, "cancel", {"of": request.id})
