"""The gateway's HTTP server, which runs in a thread of the Jupyter server's process, with an event loop of its own.

It listens only on the loopback interface, so that no other machine can reach it.
"""

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
from .bodies import MAX_BODY_BYTES, MAX_TOTAL_BYTES, Bodies
from .contract import Keys, Upstream
from .exchange import Exchange, SharedParts
from .refusals import RefusedError
from .service_requests import ServiceRequests
from .upstreams import Destination, session

_HOST: Final = "127.0.0.1"
_KEEP_ALIVE_SECONDS: Final = 120.0
"""How long, in seconds, the gateway keeps an idle connection of a client. It is longer than client libraries keep one,
so that the client closes it: if the gateway did, a request that arrives at that moment would be lost."""
_HEADERS: Final = 64 * 1024
"""The most bytes of a request's first line, and the most bytes of one of its headers."""
_BACKLOG: Final = 1024
_WRITE_AHEAD: Final = 32 * 1024
"""The most bytes that are buffered for a slow client. Then the gateway stops reading the provider's response until the
client has read some."""
ENDING_SECONDS: Final = 5.0
"""The longest time, in seconds, that `Gateway.stop` waits for the calls in progress to end, and after that for their
settlements to be recorded."""


# It is not in the tree of loggers, since a logging configuration would enable it again.
_SILENT: Final = logging.Logger("aumos-gateway-http", logging.CRITICAL + 1)  # noqa: LOG001


class Gateway:
    """The gateway's HTTP server. It serves each provider's API at ``http://127.0.0.1:<port>/llm/<provider>/``.

    An instance can be started once. ``incarnation`` is the id by which the ledger recognizes the holds of this process,
    by default a random text. They become *outcome unknown* when a server finds that the process has ended.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        keys: Keys,
        service: NotebookService,
        *,
        log: logging.Logger | None = None,
        incarnation: str | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_total_bytes: int = MAX_TOTAL_BYTES,
        ending_seconds: float = ENDING_SECONDS,
    ) -> None:
        self._upstreams = dict(upstreams)
        self._keys = keys
        self._service = service
        self._log = log if log is not None else logging.getLogger(__name__)
        self.incarnation = incarnation if incarnation is not None else f"gateway:{token_hex(8)}"
        self._bodies = max_body_bytes, max_total_bytes
        self._ending_seconds = ending_seconds
        self._exchanges: defaultdict[str, set[asyncio.Task[object]]] = defaultdict(set)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event
        self._shared: SharedParts
        self._unsubscribe: Callable[[], None] | None = None

    # ---- from any thread

    def start(self, port: int = 0) -> int:
        """Start to serve requests, and return the port: ``port`` if it is free, otherwise another one.

        Raises ConfigurationError if the gateway cannot be started.
        """
        if self._thread is not None:
            raise RuntimeError("This gateway was started already, and can be started only once; make a new Gateway.")
        listening = _Started()
        self._thread = threading.Thread(target=self._run, args=(port, listening), name="aumos-gateway", daemon=True)
        self._thread.start()
        found = listening.wait()
        self._unsubscribe = self._keys.on_revoked(self.end_streams)
        return found

    def stop(self) -> None:
        """Stop serving, end the calls in progress, and wait, a few seconds at most, for the records of their costs."""
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()
        if self._thread is None or self._loop is None:
            return
        with suppress(RuntimeError):  # The event loop has ended already.
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def end_streams(self, key_id: str) -> None:
        """End the calls in progress that were made with this key, since it was revoked; charge their cost so far."""

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
        except Exception as error:  # noqa: BLE001 - `start` waits in another thread, and must raise any error
            listening.failed(error)
            self._log.exception("The gateway has failed and serves no requests any more; restart the Jupyter server.")

    async def _serve(self, port: int, listening: _Started) -> None:
        loop = self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        max_body_bytes, max_total_bytes = self._bodies
        async with session() as http:
            self._shared = SharedParts(
                {name: Destination(upstream, http) for name, upstream in self._upstreams.items()},
                self._keys,
                ServiceRequests(self._service, self._log),
                Bodies(max_body_bytes=max_body_bytes, max_total_bytes=max_total_bytes),
                self.incarnation,
                self._log,
            )
            server = web.Server(
                self._handle,
                handler_cancellation=True,
                auto_decompress=False,
                access_log=None,
                # aiohttp would log the line of a malformed request, which may contain a key.
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
                self._log.warning(
                    "The costs of some calls could not be recorded before the gateway ended; their amounts stay held as"
                    " outcome unknown, and users can settle or release them in the governance panel."
                )

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        exchange = Exchange(self._shared, request)
        try:
            exchange.identify()
        except RefusedError as refused:
            return exchange.refusal_response(refused)
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
    """The result of starting the gateway, which its thread passes to `Gateway.start`: the port or the error."""

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
            raise ConfigurationError(
                f"The gateway could not be started: {self._error}; the Jupyter server's log has the details."
            ) from self._error
        return self._port
