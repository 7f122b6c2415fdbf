"""The registry that maps each class of requests to the function that executes it, and so for queries.

A function enters itself by a decorator, ``@operation(Spend)`` or ``@reader(ListHolds)``, when its module is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..contract.queries import Query
from ..contract.requests import Request
from ..transaction.work import Work

_RequestT = TypeVar("_RequestT", bound=Request[Any])
_QueryT = TypeVar("_QueryT", bound=Query[Any])
_ResponseT = TypeVar("_ResponseT")

OPERATIONS: Final[dict[type[Request[Any]], Callable[[Work, Any], Any]]] = {}
"""By class of request, the function that executes its requests. It gets the transaction's `Work` and the request."""
READERS: Final[dict[type[Query[Any]], Callable[[Work, Any], Any]]] = {}
"""By class of query, the function that executes its queries on every backend, and only reads through its `Work`.

Queries that each backend executes by statements of its own are not included.
"""


def operation(
    kind: type[_RequestT],
) -> Callable[[Callable[[Work, _RequestT], _ResponseT]], Callable[[Work, _RequestT], _ResponseT]]:
    """Return a decorator that registers a function in `OPERATIONS` as the one that executes requests of this class."""

    def declare(do: Callable[[Work, _RequestT], _ResponseT]) -> Callable[[Work, _RequestT], _ResponseT]:
        assert kind not in OPERATIONS, f"{kind.__name__} has an operation already"
        OPERATIONS[kind] = do
        return do

    return declare


def reader(
    kind: type[_QueryT],
) -> Callable[[Callable[[Work, _QueryT], _ResponseT]], Callable[[Work, _QueryT], _ResponseT]]:
    """Return a decorator that registers a function in `READERS` as the one that executes queries of this class."""

    def declare(read: Callable[[Work, _QueryT], _ResponseT]) -> Callable[[Work, _QueryT], _ResponseT]:
        assert kind not in READERS, f"{kind.__name__} has a reader already"
        READERS[kind] = read
        return read

    return declare
