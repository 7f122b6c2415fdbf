"""The protocols that a database must implement for `SqlLedger` and `SqlReader`."""

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
    """A consistent view of the database for one verification. Its methods may raise `damage.UnreadableError`."""

    def damage(self) -> list[str]:
        """Return the messages of the database's own check; empty if the check finds no problem."""
        ...

    def salvaging(self) -> AbstractContextManager[None]:
        """Return a context that makes invalid text readable, with lone surrogates in place of invalid bytes."""
        ...

    def stream(self, text: str, values: Sequence[Any] = ..., /) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a statement; other statements may be read meanwhile."""
        ...

    def first(self, text: str, values: Sequence[Any], /) -> tuple[Any, ...] | None:
        """Return the first row of a statement, or None if it returns no rows."""
        ...


class ReadableDatabase(Protocol):
    """A database that can be read. Its methods translate the driver's errors to LedgerErrors."""

    statements: Statements

    def reading(self) -> AbstractContextManager[Cursor]:
        """Return a context with a separate connection and a consistent view of the committed state.

        Any thread may call this.
        """
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Return a context with a snapshot, the same kind of view, for a verification. Any thread may call this."""
        ...


class Database(ReadableDatabase, Protocol):
    """A database that can be read and written, through the connections and transactions of its kind."""

    at_once: bool
    """Whether any thread may write, one at a time. If so, an interrupt in the thread rolls its transaction back."""

    def perform(self, requests: Sequence[Request[Any]], do: Callable[[Work], _T]) -> _T:
        """Call ``do`` with the `Work` of a write transaction, commit the transaction, and return the result of ``do``.

        ``do`` executes ``requests``. It is called again, with another `Work`, if the database could not commit the
        first one. Only one thread at a time may call this method.
        """
        ...

    def writing(self) -> AbstractContextManager[Cursor]:
        """Return a context with a write transaction, which is committed at the end, or rolled back if the block raises.

        Only one thread at a time may use it.
        """
        ...

    def attending(self) -> frozenset[str]:
        """Return the names of the servers that have this ledger open now."""
        ...

    def would_fail_again(self, error: LedgerError) -> bool:
        """Whether each request of a transaction that failed with this error would fail in the same way by itself."""
        ...

    def close(self) -> None:
        """Close all connections. A second call does nothing."""
        ...
