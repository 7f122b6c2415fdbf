"""Requests of the gateway to the notebook service, made in the gateway's event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

from ..service.callers import Caller
from ..service.service import NotebookService
from ..wire.protocol import Ask, Cell, error_answer

__all__ = ["Desk"]

_SECONDS: Final = 20.0
"""How long a response is waited for."""
_REPEATED: Final = frozenset(
    {"BUSY", "EXPIRED", "INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "SERVER_UNREACHABLE", "UNAVAILABLE"}
)
"""The codes after which a posted request is sent again: the ledger could not take it in."""
_LATE: Final = "UNAVAILABLE"
_IN_DOUBT: Final = frozenset({_LATE, "INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "SERVER_UNREACHABLE"})
"""The codes after which a request may have been carried out, or may still be."""
_PAUSES: Final = (0.05, 0.2, 1.0, 5.0)
"""Seconds between one copy of a posted request and the next; the last one repeats."""


class Desk:
    """Sends requests to the service and waits for their responses. Its methods are called in its loop alone."""

    def __init__(
        self, service: NotebookService, log: logging.Logger, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._service = service
        self._log = log
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._posted: set[asyncio.Task[None]] = set()

    async def request(
        self, caller: Caller, op: str, body: Mapping[str, Any], *, cell: Cell | None = None, seconds: float = _SECONDS
    ) -> dict[str, Any]:
        """The response; with ``ok`` false and the code ``UNAVAILABLE`` where there is none in time.

        What is given up, because time is over or the caller is cancelled, is taken back: see `cancel` in the protocol.
        """
        ask = Ask(uuid4().hex, op, self._clock() + seconds, cell or Cell(), body)
        try:
            message = await self._in_time(ask, self._sent(caller, ask), seconds)
        except asyncio.CancelledError:
            self._take_back(caller, ask)
            raise
        if message.get("code") in _IN_DOUBT:
            self._take_back(caller, ask)
        return message

    def post(self, caller: Caller, op: str, body: Mapping[str, Any]) -> None:
        """Send a request whose response decides nothing here, and send it again until it is recorded."""
        ask = Ask(uuid4().hex, op, self._clock() + _SECONDS, Cell(), body)
        # The first copy goes out now, ahead of all that this client requests next.
        first = self._sent(caller, ask)
        task = self._loop.create_task(self._until_recorded(caller, ask, first))
        self._posted.add(task)
        task.add_done_callback(self._posted.discard)

    async def recorded(self, seconds: float) -> bool:
        """Wait until all that was posted is recorded; False where it is not in time, and is given up then."""
        if self._posted:
            await asyncio.wait(self._posted, timeout=seconds)
        left = tuple(self._posted)
        for task in left:
            task.cancel()
        return not left

    def _sent(self, caller: Caller, ask: Ask) -> asyncio.Future[dict[str, Any]]:
        loop, future = self._loop, self._loop.create_future()

        def arrived(response: dict[str, Any]) -> None:
            if not future.done():
                future.set_result(response)

        def reply(response: dict[str, Any]) -> None:
            if "waiting" in response:
                return
            try:
                loop.call_soon_threadsafe(arrived, response)
            except RuntimeError:
                # The gateway has stopped meanwhile.
                self._log.debug("A response of the governance service came after the gateway's end.")

        self._service.submit(caller, ask, reply)
        return future

    async def _in_time(self, ask: Ask, response: asyncio.Future[dict[str, Any]], seconds: float) -> dict[str, Any]:
        def expire() -> None:
            if not response.done():
                response.set_result(error_answer(ask.id, _LATE, "The governance ledger did not respond in time."))

        # Not `wait_for`, which before Python 3.12 may swallow that its task is cancelled.
        timer = self._loop.call_later(seconds, expire)
        try:
            return await response
        finally:
            timer.cancel()

    async def _until_recorded(self, caller: Caller, ask: Ask, first: asyncio.Future[dict[str, Any]]) -> None:
        response, number = first, 0
        while True:
            message = await self._in_time(ask, response, _SECONDS)
            if message.get("ok") or message.get("code") not in _REPEATED:
                break
            if not number:
                self._log.warning("A %s of the gateway is not recorded yet: %s", ask.op, message.get("message"))
            await asyncio.sleep(_PAUSES[min(number, len(_PAUSES) - 1)])
            number += 1
            ask = Ask(ask.id, ask.op, self._clock() + _SECONDS, ask.cell, ask.body)
            response = self._sent(caller, ask)
        if not message.get("ok"):
            self._log.warning("A %s of the gateway was refused: %s", ask.op, message.get("message"))

    def _take_back(self, caller: Caller, ask: Ask) -> None:
        if ask.op == "hold":
            self.post(caller, "cancel", {"of": ask.id})
