"""Code written once for synchronous and asynchronous callers, as a generator that yields the awaitables to await.

For a synchronous caller the generator must yield nothing, and instead call the synchronous functions itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Steps: TypeAlias = Generator[Awaitable[Any], Any, T]


def now(steps: Steps[T]) -> T:
    """Run steps that yield no awaitable, and return their result."""
    try:
        next(steps)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("Steps of a synchronous caller yielded an awaitable.")


async def when_awaited(steps: Steps[T]) -> T:
    """Run steps, await each awaitable that they yield and send back its result, and return their result."""
    try:
        awaitable = next(steps)
        while True:
            try:
                value = await awaitable
            except BaseException as error:  # noqa: BLE001 - the steps handle it
                awaitable = steps.throw(error)
            else:
                awaitable = steps.send(value)
    except StopIteration as done:
        result: T = done.value
        return result
