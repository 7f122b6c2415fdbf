"""Watches a response's bytes on their way to the caller, and settles its charge by what they say.

The caller's stream, response and events stay the provider's own: all of them read the HTTP response, whose reading and
closing are watched here. What breaks off, is closed before its end or dropped is settled as an estimate, by what of it
has arrived.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

from .charge import Charge, Evidence
from .readers import Reader, evidence_of, reader_of

__all__ = ["content_of", "watch", "watch_async"]


class _Watch:
    """One response under watch."""

    def __init__(self, response: Any, read: Any, close: Any, charge: Charge, reader: Reader) -> None:
        self._charge = charge
        self._reader = reader
        # Reading to the end closes the response, which is then no sign that the caller gave up.
        self._reading = False
        self._read = read
        self._close = close
        # Called where the garbage collector finds a response that was not read to its end. The reader refers to no
        # response, so that this keeps none alive.
        self._so_far = partial(_so_far, reader)
        weakref.finalize(response, charge.abandon, self._so_far).atexit = False
        charge.watched(self._so_far)

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
            # Before the last bytes: who gets them has the whole response.
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


def _so_far(reader: Reader) -> Evidence:
    return reader.response(), reader.seen()


def watch(response: Any, charge: Charge, *, streamed: bool) -> None:
    """Settle ``charge`` by what is read of an httpx response; ``streamed``: it sends events."""
    watched = _Watch(response, response.iter_bytes, response.close, charge, _reader(response, charge, streamed))
    response.iter_bytes = watched.iter_bytes
    response.close = watched.close


def watch_async(response: Any, charge: Charge, *, streamed: bool) -> None:
    """As `watch`, for a response that is awaited."""
    watched = _Watch(response, response.aiter_bytes, response.aclose, charge, _reader(response, charge, streamed))
    response.aiter_bytes = watched.aiter_bytes
    response.aclose = watched.aclose


def content_of(response: Any) -> bytes | None:
    """The body of an httpx response that was read to its end; None for one that was not."""
    try:
        content: bytes = response.content
    except RuntimeError:
        # httpx raises it for a response that is not read yet.
        return None
    return content


def _reader(response: Any, charge: Charge, streamed: bool) -> Reader:
    return reader_of(charge.paid, response.headers.get("content-type", ""), streamed=streamed)
