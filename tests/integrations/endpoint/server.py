"""A provider on the loopback interface: OpenAI's, Anthropic's and Google's wire formats, scripted by the test."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import replace
from http import HTTPStatus
from types import TracebackType
from typing import Any

from . import anthropic_wire, google_wire, openai_wire
from .connection import BrokenError, ClientGoneError, Connection
from .exchanges import PATIENCE, Exchange, Watched
from .replies import Reply
from .requests import Received
from .responses import NotServedError, Response


class Endpoint:
    """A provider that serves in a thread of its own within a ``with`` block.

    Each request takes the next reply of the script, in the order in which requests arrive; with none left, `default`.
    """

    def __init__(self) -> None:
        self.default = Reply()
        self.url = ""
        self._script: deque[Reply] = deque()
        self._exchanges: list[Exchange] = []
        self._watched = Watched()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="endpoint", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._busy: set[asyncio.Task[None]] = set()

    @property
    def openai_url(self) -> str:
        """The ``base_url`` of an OpenAI client."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The ``base_url`` of an Anthropic client, which adds the version itself."""
        return self.url

    @property
    def google_url(self) -> str:
        """The ``base_url`` of a Google client, which adds the version itself."""
        return self.url

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The exchanges of all requests so far, in order."""
        return tuple(self._exchanges)

    @property
    def count(self) -> int:
        """The number of requests that arrived, retries included."""
        return len(self._exchanges)

    def script(self, *replies: Reply) -> None:
        """Respond to the next requests with these, one each."""
        self._script.extend(replies)

    def forget_script(self) -> None:
        """Respond to the next requests with the default, whatever was scripted."""
        self._script.clear()

    def exchange(self, number: int, timeout: float = PATIENCE) -> Exchange:
        """Wait for the request of this number, counted from 0."""
        self.wait_received(number + 1, timeout)
        return self._exchanges[number]

    def wait_received(self, requests: int, timeout: float = PATIENCE) -> None:
        """Wait until this number of requests arrived in all."""
        self._watched.wait(
            lambda: len(self._exchanges) >= requests,
            lambda: f"{len(self._exchanges)} of {requests} requests arrived",
            timeout,
        )

    def release(self) -> None:
        """Let all paused responses go on."""
        for exchange in self.exchanges:
            exchange.release()

    def __enter__(self) -> Endpoint:  # noqa: PYI034 - Self needs Python 3.11
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        connection = Connection(reader, writer)
        try:
            while (received := await connection.read(lambda: len(self._exchanges))) is not None:
                await self._converse(connection, self._begun(received))
        except (asyncio.CancelledError, ClientGoneError, BrokenError, ConnectionError, EOFError):
            pass  # each ends the connection, and the exchange has noted how it ended
        finally:
            connection.drop()
            self._busy.discard(task)

    def _begun(self, received: Received) -> Exchange:
        reply = self._script.popleft() if self._script else self.default
        exchange = Exchange(received, reply, self._loop)
        self._watched.note(lambda: self._exchanges.append(exchange))
        return exchange

    async def _converse(self, connection: Connection, exchange: Exchange) -> None:
        try:
            await connection.write(exchange, _respond(exchange.received, exchange.reply))
        except ClientGoneError:
            exchange.note_ended("hung_up")
            raise
        except BrokenError:
            exchange.note_ended("broken")
            raise
        exchange.note_ended("answered")


def _respond(received: Received, reply: Reply) -> Response:
    wire: Any = openai_wire
    if _speaks_anthropic(received):
        wire = anthropic_wire
    elif google_wire.speaks(received):
        wire = google_wire
    if reply.status >= HTTPStatus.BAD_REQUEST:
        # Without this header a client waits half a second before it retries.
        response = wire.error(reply.status)
        headers = {"retry-after-ms": "1", **reply.headers}
    else:
        try:
            response = wire.response(received, reply)
        except NotServedError:
            response = wire.error(HTTPStatus.NOT_FOUND)
        headers = dict(reply.headers)
    if reply.body is not None:
        response = replace(response, pieces=(reply.body,))
    return replace(response, headers={**response.headers, **headers})


def _speaks_anthropic(received: Received) -> bool:
    return (
        "anthropic-version" in received.headers or "awPredict" in received.path or received.path.startswith("/model/")
    )
