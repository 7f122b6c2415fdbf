"""How long a client waits before it sends a request again that a busy server refused."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from random import uniform
from typing import Final

from ...clock import monotonic

__all__ = ["LONGEST_PAUSE", "pauses", "waited"]

_FIRST: Final = 0.01
LONGEST_PAUSE: Final = 0.32
"""Seconds."""


def pauses() -> Iterator[float]:
    """The seconds before each next time, about twice as many at each; not all clients come back at the same moment."""
    seconds = _FIRST
    while True:
        yield uniform(seconds / 2, seconds)  # noqa: S311 - not a secret
        seconds = min(seconds * 2, LONGEST_PAUSE)


def waited(until: float) -> Generator[float, None, None]:
    """Yields for how many seconds to wait at most, until this time on the monotonic clock."""
    while (left := until - monotonic()) > 0:
        yield left
