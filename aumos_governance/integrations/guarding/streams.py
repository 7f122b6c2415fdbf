"""Reads a response's bytes while the caller reads them, and settles the response's charge by the reported usage.

The caller gets the provider library's own stream, response and event objects. All of them read the HTTP response, and
this module replaces the HTTP response's methods for reading and closing. A response that breaks off, is closed before
its end or is garbage-collected is settled as an estimate, by the part that has arrived.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from .charge import Charge, Evidence
from .readers import Reader, evidence_of, reader_of


class _Watch:
    """The methods that replace those of one httpx response; they pass its bytes to a reader and settle its charge."""

    def __init__(self, response: Any, read: Any, close: Any, charge: Charge, reader: Reader) -> None:
        self._charge = charge
        self._reader = reader
        # httpx closes a response that is read to its end; only a close at another time means that the caller gave up.
        self._reading = False
        self._read = read
        self._close = close
        # The finalizer settles a response that is garbage-collected before its end. It refers to the reader only: a
        # reference to the response would keep the response alive.
        self._so_far = partial(_evidence_so_far, reader)
        weakref.finalize(response, charge.abandon, self._so_far).atexit = False
        charge.settle_at_exit(self._so_far)

    def iter_bytes(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        chunks = iter(self._read(*arguments, **options))
        try:
            while True:
                self._reading = True
                try:
                    chunk = next(chunks)
                except StopIteration:
                    break
                finally:
                    self._reading = False
                shown = self._reader.feed(chunk)
                if self._reader.ended:
                    self._charge.settle(*evidence_of(self._reader))
                if shown:
                    yield shown
            # The charge is settled first, since a caller that has the last bytes may read no further.
            rest = self._reader.rest()
            self._charge.settle(*evidence_of(self._reader))
            if rest:
                yield rest
        except Exception:
            self._charge.settle_partly(*self._so_far())
            raise
        finally:
            self._charge.abandon(self._so_far)

    def close(self) -> None:
        try:
            self._close()
        finally:
            if not self._reading:
                self._charge.abandon(self._so_far)

    async def aiter_bytes(self, *arguments: Any, **options: Any) -> AsyncIterator[bytes]:
        chunks = self._read(*arguments, **options).__aiter__()
        try:
            while True:
                self._reading = True
                try:
                    chunk = await chunks.__anext__()
                except StopAsyncIteration:
                    break
                finally:
                    self._reading = False
                shown = self._reader.feed(chunk)
                if self._reader.ended:
                    await self._charge.settle_async(*evidence_of(self._reader))
                if shown:
                    yield shown
            rest = self._reader.rest()
            await self._charge.settle_async(*evidence_of(self._reader))
            if rest:
                yield rest
        except Exception:
            await self._charge.settle_partly_async(*self._so_far())
            raise
        finally:
            self._charge.abandon(self._so_far)

    async def aclose(self) -> None:
        try:
            await self._close()
        finally:
            if not self._reading:
                self._charge.abandon(self._so_far)


def _evidence_so_far(reader: Reader) -> Evidence:
    return reader.response(), reader.seen()


def watch(response: Any, charge: Charge, *, streamed: bool) -> None:
    """Replace methods of an httpx response, so that ``charge`` is settled when the caller reads or closes it.

    ``streamed`` is whether the response is a stream of events.
    """
    watched = _Watch(response, response.iter_bytes, response.close, charge, _reader(response, charge, streamed))
    response.iter_bytes = watched.iter_bytes
    response.close = watched.close


def watch_async(response: Any, charge: Charge, *, streamed: bool) -> None:
    """Do what `watch` does, for the response of an asynchronous client."""
    watched = _Watch(response, response.aiter_bytes, response.aclose, charge, _reader(response, charge, streamed))
    response.aiter_bytes = watched.aiter_bytes
    response.aclose = watched.aclose


def content_of(response: Any) -> bytes | None:
    """Return the body of an httpx response; None for a response that is not read yet."""
    try:
        content: bytes = response.content
    except RuntimeError:
        # The error is `ResponseNotRead` of httpx or of its successor, and means that the body was not read yet.
        return None
    return content


def _reader(response: Any, charge: Charge, streamed: bool) -> Reader:
    return reader_of(charge.paid, response.headers.get("content-type", ""), streamed=streamed)
