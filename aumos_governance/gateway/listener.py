"""The gateway's HTTP server: on the loopback interface, in a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from secrets import token_hex
from typing import Final

from aiohttp import web

from ..errors import ConfigurationError
from ..service.service import NotebookService
from .bodies import MOST_IN_ALL, MOST_OF_ONE, Bodies
from .contract import Keys, Upstream
from .exchange import Exchange, SharedParts
from .refusals import RefusedError, response_of
from .service_requests import ServiceRequests
from .upstreams import Destination, session

__all__ = ["Gateway"]

_HOST: Final = "127.0.0.1"
_KEEP_ALIVE_SECONDS: Final = 120.0
"""Longer than the clients keep a connection, so that they end it, and no request meets its end."""
_HEADERS: Final = 64 * 1024
_BACKLOG: Final = 1024
_WRITE_AHEAD: Final = 32 * 1024
"""Bytes that wait for a slow client before its provider is read no further."""
ENDING_SECONDS: Final = 5.0
"""How long the end waits until what was settled is recorded."""


# Outside of the tree of loggers, whose configuration enables again what was disabled.
_SILENT: Final = logging.Logger("aumos-gateway-http", logging.CRITICAL + 1)  # noqa: LOG001


class Gateway:
    """Serves the providers' APIs at ``http://127.0.0.1:<port>/llm/<provider>/``.

    ``incarnation`` is this process of the gateway, as the ledger knows it: its holds become *outcome unknown* when a
    later server does not find it. Left out, it is made up.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        keys: Keys,
        service: NotebookService,
        *,
        log: logging.Logger | None = None,
        incarnation: str | None = None,
        most_of_one: int = MOST_OF_ONE,
        most_in_all: int = MOST_IN_ALL,
        ending_seconds: float = ENDING_SECONDS,
    ) -> None:
        self._upstreams = dict(upstreams)
        self._keys = keys
        self._service = service
        self._log = log if log is not None else logging.getLogger(__name__)
        self.incarnation = incarnation if incarnation is not None else f"gateway:{token_hex(8)}"
        self._bodies = most_of_one, most_in_all
        self._ending_seconds = ending_seconds
        self._exchanges: defaultdict[str, set[asyncio.Task[object]]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event
        self._shared: SharedParts
        self._unsubscribe: Callable[[], None] | None = None

    # ---- from any thread

    def start(self, port: int = 0) -> int:
        """Listen, on this port where it is free, else on another one; gives the port. Raises ConfigurationError."""
        if self._thread is not None:
            raise RuntimeError("The gateway was started already.")
        listening = _Started()
        self._thread = threading.Thread(target=self._run, args=(port, listening), name="aumos-gateway", daemon=True)
        self._thread.start()
        found = listening.wait()
        self._unsubscribe = self._keys.on_revoked(self.end_streams)
        return found

    def stop(self) -> None:
        """End what is under way, have it settled, and wait until that is recorded, for some seconds at most."""
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()
        if self._thread is None or self._loop is None:
            return
        with suppress(RuntimeError):  # It has ended by itself.
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def end_streams(self, key_id: str) -> None:
        """End the calls of this key that are under way; what they cost until now is charged."""

        def end() -> None:
            for task in tuple(self._exchanges.get(key_id, ())):
                task.cancel()

        if self._loop is not None:
            with suppress(RuntimeError):  # The gateway has stopped.
                self._loop.call_soon_threadsafe(end)

    # ---- in its thread

    def _run(self, port: int, listening: _Started) -> None:
        try:
            asyncio.run(self._serve(port, listening))
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread that waits hears of it
            listening.failed(error)
            self._log.exception("The gateway has ended.")

    async def _serve(self, port: int, listening: _Started) -> None:
        loop = self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        most_of_one, most_in_all = self._bodies
        async with session() as http:
            self._shared = SharedParts(
                {name: Destination(upstream, http) for name, upstream in self._upstreams.items()},
                self._keys,
                ServiceRequests(self._service, self._log),
                Bodies(most_of_one=most_of_one, most_in_all=most_in_all),
                self.incarnation,
                self._log,
            )
            server = web.Server(
                self._handle,
                handler_cancellation=True,
                auto_decompress=False,
                access_log=None,
                # Of a malformed request it would log the line, which may hold a key.
                logger=_SILENT,
                keepalive_timeout=_KEEP_ALIVE_SECONDS,
                max_line_size=_HEADERS,
                max_field_size=_HEADERS,
                lingering_time=2.0,
            )
            try:
                listener = await loop.create_server(server, _HOST, port, backlog=_BACKLOG)
            except OSError:
                listener = await loop.create_server(server, _HOST, 0, backlog=_BACKLOG)
            listening.at(listener.sockets[0].getsockname()[1])
            await self._stopping.wait()
            listener.close()
            under_way = [task for tasks in self._exchanges.values() for task in tasks]
            for task in under_way:
                task.cancel()
            if under_way:
                await asyncio.wait(under_way, timeout=self._ending_seconds)
            await server.shutdown(1.0)
            if not await self._shared.service.recorded(self._ending_seconds):
                self._log.warning("What some calls cost could not be recorded before the gateway's end.")

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        exchange = Exchange(self._shared, request)
        try:
            exchange.identify()
        except RefusedError as refused:
            return response_of(refused, None if exchange.destination is None else exchange.destination.api)
        assert exchange.holder is not None
        transport = request.transport
        if transport is not None:
            transport.set_write_buffer_limits(high=_WRITE_AHEAD)
        task, key_id = asyncio.current_task(), exchange.holder.key_id
        assert task is not None
        tasks = self._exchanges[key_id]
        tasks.add(task)
        try:
            return await exchange.respond()
        finally:
            tasks.discard(task)
            if not tasks:
                self._exchanges.pop(key_id, None)


class _Started:
    """Where the gateway listens, or why it does not, from its thread."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._port = 0
        self._error: Exception | None = None

    def at(self, port: int) -> None:
        self._port = port
        self._done.set()

    def failed(self, error: Exception) -> None:
        self._error = error
        self._done.set()

    def wait(self) -> int:
        self._done.wait()
        if self._error is not None:
            raise ConfigurationError(f"The gateway could not be started: {self._error}.") from self._error
        return self._port
