"""The interfaces of a database, which SQLite and PostgreSQL implement, so that the other modules work with both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from ...errors import LedgerError
from ..contract.requests import Request
from ..transaction.work import Work
from .statements import Statements
from .store import Cursor

_T = TypeVar("_T")


class Snapshot(Protocol):
    """The database at one moment, as one verification reads it; commits of others meanwhile do not change it.

    All methods may raise `damage.UnreadableError`.
    """

    def damage(self) -> list[str]:
        """Return the problems that the database finds when it checks its own files; empty if it finds none."""
        ...

    def salvaging(self) -> AbstractContextManager[None]:
        """Return a context in which invalid text raises no error: its invalid bytes are read as lone surrogates."""
        ...

    def stream(self, text: str, values: Sequence[Any] = ..., /) -> Iterator[tuple[Any, ...]]:
        """Execute an SQL statement and yield its rows one by one; other statements may be executed meanwhile."""
        ...

    def first(self, text: str, values: Sequence[Any], /) -> tuple[Any, ...] | None:
        """Execute an SQL statement, and return its first row, or None if it returns no rows."""
        ...


class ReadableDatabase(Protocol):
    """A database that can be read. All errors of the driver are raised as LedgerError."""

    statements: Statements

    def reading(self) -> AbstractContextManager[Cursor]:
        """Return a context with a cursor for queries, on a connection in a read transaction of its own.

        All its queries read the state of one moment. Any thread may call this.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Return a context with a `Snapshot`, for a verification. Any thread may call this."""
        ...


class Database(ReadableDatabase, Protocol):
    """A database that can be read and written."""

    at_once: bool
    """Whether requests may be executed in their callers' threads, one at a time, and not only in the writer's thread.
    Then a KeyboardInterrupt in the middle of a transaction must roll it back."""

    def perform(self, requests: Sequence[Request[Any]], do: Callable[[Work], _T]) -> _T:
        """Execute ``do`` in a write transaction, commit the transaction, and return the result of ``do``.

        ``do`` must execute ``requests`` in the `Work` that it is called with. If the transaction cannot be committed
        because of other transactions, ``do`` is called again with a new `Work`. Only one thread at a time may call this
        method.
        """
        ...

    def writing(self) -> AbstractContextManager[Cursor]:
        """Return a context with a cursor in a write transaction.

        The transaction is committed at the end of the context, or rolled back if the block raises. Only one thread at a
        time may use it.
        """
        ...

    def attending(self) -> frozenset[str]:
        """Return the names of the servers that have this ledger open now."""
        ...

    def would_fail_again(self, error: LedgerError) -> bool:
        """Whether a failed transaction need not be repeated with each of its requests alone, judged by its error.

        If another program has locked the database, for example, each request would fail in the same way.
        """
        ...

    def close(self) -> None:
        """Close all connections. A second call does nothing."""
        ...
