"""Which function does which request, and which reads which query: each is declared where it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..contract.queries import Query
from ..contract.requests import Request
from ..transaction.work import Work

__all__ = ["OPERATIONS", "READERS", "operation", "reader"]

_RequestT = TypeVar("_RequestT", bound=Request[Any])
_QueryT = TypeVar("_QueryT", bound=Query[Any])
_ResponseT = TypeVar("_ResponseT")

OPERATIONS: Final[dict[type[Request[Any]], Callable[[Work, Any], Any]]] = {}
READERS: Final[dict[type[Query[Any]], Callable[[Work, Any], Any]]] = {}
"""The queries that every backend reads alike, over a `Work` that only reads and whose ``now`` is set."""


def operation(
    kind: type[_RequestT],
) -> Callable[[Callable[[Work, _RequestT], _ResponseT]], Callable[[Work, _RequestT], _ResponseT]]:
    """Declares that the function does the requests of this kind."""

    def declare(do: Callable[[Work, _RequestT], _ResponseT]) -> Callable[[Work, _RequestT], _ResponseT]:
        assert kind not in OPERATIONS, f"{kind.__name__} has an operation already"
        OPERATIONS[kind] = do
        return do

    return declare


def reader(
    kind: type[_QueryT],
) -> Callable[[Callable[[Work, _QueryT], _ResponseT]], Callable[[Work, _QueryT], _ResponseT]]:
    """Declares that the function reads the queries of this kind."""

    def declare(read: Callable[[Work, _QueryT], _ResponseT]) -> Callable[[Work, _QueryT], _ResponseT]:
        assert kind not in READERS, f"{kind.__name__} has a reader already"
        READERS[kind] = read
        return read

    return declare
