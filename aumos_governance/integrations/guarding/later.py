"""Readers for the responses to free requests, such as polls, that state what earlier calls cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from ...steps import Steps
from .calls import Meter, body_of_json
from .readers import Body, Events
from .streams import content_of

_log = logging.getLogger(__name__)
_LONGEST_LINE: Final = 64 * 1024 * 1024


class Later(Protocol):
    """A reader for one response that states what earlier calls cost; it settles or adjusts their charges."""

    @property
    def ended(self) -> bool:
        """Whether the rest of the response cannot affect a charge."""
        ...

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes of the response."""
        ...

    def done(self) -> None:
        """Settle or adjust the charges, now that the response was read to its end. May wait for the ledger."""
        ...


class LaterBody:
    """A `Later` for one JSON body; it passes the body to the function ``done``."""

    ended = False

    def __init__(self, done: Callable[[Mapping[str, Any]], None]) -> None:
        self._done = done
        self._body = Body()

    def feed(self, chunk: bytes) -> None:
        self._body.feed(chunk)

    def done(self) -> None:
        if (body := self._body.response()) is not None:
            self._done(body)


class LaterEvents:
    """A `Later` for server-sent events; it passes the usage that ``meter`` finds to the function ``done``."""

    def __init__(self, meter: Meter, done: Callable[[Mapping[str, Any]], None]) -> None:
        self._meter = meter
        self._events = Events(meter)
        self._done = done

    @property
    def ended(self) -> bool:
        return self._meter.ended

    def feed(self, chunk: bytes) -> None:
        self._events.feed(chunk)

    def done(self) -> None:
        if self._meter.response is not None:
            self._done(self._meter.response)


class LaterLines:
    """A `Later` for JSON Lines: it passes each object to the function ``line``, and calls ``done`` at the end.

    ``done`` is not called if a line was too long to be read.
    """

    ended = False

    def __init__(self, line: Callable[[Mapping[str, Any]], None], done: Callable[[], None]) -> None:
        self._line = line
        self._done = done
        self._rest = b""
        self._unreadable = False

    def feed(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._read(line)
        if len(self._rest) > _LONGEST_LINE:
            self._unreadable, self._rest = True, b""

    def done(self) -> None:
        self._read(self._rest)
        self._rest = b""
        if not self._unreadable:
            self._done()

    def _read(self, line: bytes) -> None:
        if line.strip():
            self._line(body_of_json(line))


def reading_along(response: Any, later: Later, *, awaited: bool) -> Steps[None]:
    """Return a generator that passes an httpx response to ``later``, at once or while the caller reads a stream.

    It is for `steps.now` or, if ``awaited``, `steps.when_awaited`.
    """
    content = content_of(response)
    if content is None:
        if awaited:
            response.aiter_bytes = _with_later_async(response.aiter_bytes, later)
        else:
            response.iter_bytes = _with_later(response.iter_bytes, later)
        return
    later.feed(content)
    if awaited:
        yield asyncio.to_thread(_finish, later)
    else:
        _finish(later)


def _with_later(read: Callable[..., Iterator[bytes]], later: Later) -> Callable[..., Iterator[bytes]]:
    """Return a replacement for a response's ``iter_bytes`` that passes the bytes to ``later`` as well."""

    def iter_bytes(*arguments: Any, **options: Any) -> Iterator[bytes]:
        ended = False
        for chunk in read(*arguments, **options):
            later.feed(chunk)
            if later.ended and not ended:
                ended = True
                _finish(later)
            yield chunk
        if not ended:
            _finish(later)

    return iter_bytes


def _with_later_async(read: Callable[..., AsyncIterator[bytes]], later: Later) -> Callable[..., AsyncIterator[bytes]]:
    """Do what `_with_later` does, for ``aiter_bytes``."""

    async def aiter_bytes(*arguments: Any, **options: Any) -> AsyncIterator[bytes]:
        ended = False
        async for chunk in read(*arguments, **options):
            later.feed(chunk)
            if later.ended and not ended:
                ended = True
                await asyncio.to_thread(_finish, later)
            yield chunk
        if not ended:
            await asyncio.to_thread(_finish, later)

    return aiter_bytes


def _finish(later: Later) -> None:
    try:
        later.done()
    except Exception:  # noqa: BLE001 - the caller must get the requested response, whatever fails here
        _log.exception("A response states the cost of an earlier call, and the cost could not be recorded")
