"""Functions that run *steps*: code that is written once, for synchronous and asynchronous callers.

Steps are a generator. For an asynchronous caller, it yields each awaitable that must be awaited, and gets its result.
For a synchronous caller it must yield nothing, and call synchronous functions instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Steps: TypeAlias = Generator[Awaitable[Any], Any, T]


def now(steps: Steps[T]) -> T:
    """Run the steps of a synchronous caller, and return their result. Raises AssertionError if they yield something."""
    try:
        next(steps)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("Steps of a synchronous caller yielded an awaitable.")


async def when_awaited(steps: Steps[T]) -> T:
    """Run the steps of an asynchronous caller, and return their result.

    Await each awaitable that they yield, and pass its result or exception back to them.
    """
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
