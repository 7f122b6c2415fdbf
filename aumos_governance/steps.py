"""What synchronous and asynchronous callers do alike, written once: a generator that yields what is to be awaited.

For a synchronous caller it yields nothing, and does each thing where it stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, TypeAlias, TypeVar

__all__ = ["Steps", "now", "when_awaited"]

T = TypeVar("T")
Steps: TypeAlias = Generator[Awaitable[Any], Any, T]


def now(steps: Steps[T]) -> T:
    """Take steps of which none is awaited."""
    try:
        next(steps)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("A synchronous caller has nothing to await.")


async def when_awaited(steps: Steps[T]) -> T:
    """Take steps, awaiting what they yield."""
    try:
        step = next(steps)
        while True:
            try:
                value = await step
            except BaseException as error:  # noqa: BLE001 - it is the steps' own to handle
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as done:
        result: T = done.value
        return result
