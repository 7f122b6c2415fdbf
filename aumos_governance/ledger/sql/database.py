"""What a database must offer beneath the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from ...errors import LedgerError
from ..contract.requests import Request
from ..transaction.work import Work
from .statements import Statements
from .store import Cursor

__all__ = ["Database", "Readings", "Snapshot"]


_T = TypeVar("_T")


class Snapshot(Protocol):
    """What a verification reads: all of it from one consistent view. May raise `damage.UnreadableError`."""

    def damage(self) -> list[str]:
        """What the database's own check finds, in its words."""
        ...

    def salvaging(self) -> AbstractContextManager[None]:
        """Within it also text is read that is not valid, with lone surrogates in the place of what is wrong."""
        ...

    def stream(self, text: str, values: Sequence[Any] = ..., /) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, one by one; others may be read meanwhile."""
        ...

    def first(self, text: str, values: Sequence[Any], /) -> tuple[Any, ...] | None:
        """The first row of a statement."""
        ...


class Readings(Protocol):
    """What queries get their responses from. Its errors are LedgerErrors."""

    statements: Statements

    def reading(self) -> AbstractContextManager[Cursor]:
        """A consistent view of what is committed, on a connection of its own; from any thread."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Like `reading`, for a verification."""
        ...


class Database(Readings, Protocol):
    """Connections and transactions of one kind of database. Its errors are LedgerErrors."""

    at_once: bool
    """Whether any thread may write, one at a time, and may be interrupted in that: what it had begun is undone then."""

    def perform(self, requests: Sequence[Request[Any]], do: Callable[[Work], _T]) -> _T:
        """Call ``do``, which does these requests, with the work of a write transaction, and commit it.

        ``do`` may be called again with another work, where the database finds that what it did cannot be kept.
        One thread at a time may use it. What it raises is translated.
        """
        ...

    def writing(self) -> AbstractContextManager[Cursor]:
        """A write transaction on the writer's connection: committed at the end, undone when the block raises.

        One thread at a time may use it. What it raises is translated.
        """
        ...

    def attending(self) -> frozenset[str]:
        """The names of the servers that have the database open as a ledger."""
        ...

    def hopeless(self, error: LedgerError) -> bool:
        """True when trying the requests of a failed transaction one by one would fail in the same way."""
        ...

    def close(self) -> None:
        """Close all connections. Idempotent."""
        ...
