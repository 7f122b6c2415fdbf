"""Which function does which request, and which answers which query: each is declared where it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..contract.queries import Query
from ..contract.requests import Request
from ..transaction.work import Work

__all__ = ["OPERATIONS", "READERS", "operation", "reader"]

_RequestT = TypeVar("_RequestT", bound=Request[Any])
_QueryT = TypeVar("_QueryT", bound=Query[Any])
_AnswerT = TypeVar("_AnswerT")

OPERATIONS: Final[dict[type[Request[Any]], Callable[[Work, Any], Any]]] = {}
READERS: Final[dict[type[Query[Any]], Callable[[Work, Any], Any]]] = {}
"""The queries that every backend answers alike, over a `Work` that only reads and whose ``now`` is set."""


def operation(
    kind: type[_RequestT],
) -> Callable[[Callable[[Work, _RequestT], _AnswerT]], Callable[[Work, _RequestT], _AnswerT]]:
    """Declares that the function does the requests of this kind."""

    def declare(do: Callable[[Work, _RequestT], _AnswerT]) -> Callable[[Work, _RequestT], _AnswerT]:
        assert kind not in OPERATIONS, f"{kind.__name__} has an operation already"
        OPERATIONS[kind] = do
        return do

    return declare


def reader(
    kind: type[_QueryT],
) -> Callable[[Callable[[Work, _QueryT], _AnswerT]], Callable[[Work, _QueryT], _AnswerT]]:
    """Declares that the function answers the queries of this kind."""

    def declare(read: Callable[[Work, _QueryT], _AnswerT]) -> Callable[[Work, _QueryT], _AnswerT]:
        assert kind not in READERS, f"{kind.__name__} has a reader already"
        READERS[kind] = read
        return read

    return declare
