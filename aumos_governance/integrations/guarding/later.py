"""Free requests whose responses state what earlier calls cost, such as a poll: they are read as they pass."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from ...steps import Steps
from .calls import Meter, body_of_json
from .readers import Body, Events
from .streams import content_of

__all__ = ["Later", "LaterBody", "LaterEvents", "LaterLines", "hearing"]

_log = logging.getLogger(__name__)
_LONGEST_LINE: Final = 64 * 1024 * 1024


class Later(Protocol):
    """Reads one response."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come that affects a charge."""
        ...

    def feed(self, chunk: bytes) -> None:
        """The next bytes of it."""
        ...

    def done(self) -> None:
        """It was read to its end: settle or adjust what it says. May wait for the ledger."""
        ...


class LaterBody:
    """One JSON body."""

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
    """Server-sent events, of which a meter finds the usage."""

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
    """A JSON object a line, each of which is read by itself."""

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


def hearing(response: Any, later: Later, *, awaited: bool) -> Steps[None]:
    """Read an httpx response while its caller reads it."""
    content = content_of(response)
    if content is None:
        if awaited:
            response.aiter_bytes = _heard_async(response.aiter_bytes, later)
        else:
            response.iter_bytes = _heard(response.iter_bytes, later)
        return
    later.feed(content)
    if awaited:
        yield asyncio.to_thread(_finish, later)
    else:
        _finish(later)


def _heard(read: Callable[..., Iterator[bytes]], later: Later) -> Callable[..., Iterator[bytes]]:
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


def _heard_async(read: Callable[..., AsyncIterator[bytes]], later: Later) -> Callable[..., AsyncIterator[bytes]]:
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
    except Exception:  # noqa: BLE001 - the response was requested by the caller, and is not withheld for this
        _log.exception("What a response says of an earlier call's cost could not be recorded")
