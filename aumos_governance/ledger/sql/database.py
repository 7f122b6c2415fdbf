"""What a database must offer beneath the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from ...errors import LedgerError
from ..base import Request
from ..work import Work
from .statements import Statements
from .store import Cursor

__all__ = ["Database", "Readings"]


_T = TypeVar("_T")


class Readings(Protocol):
    """What queries are answered from. Its errors are LedgerErrors."""

    statements: Statements

    def reading(self) -> AbstractContextManager[Cursor]:
        """A consistent view of what is committed, on a connection of its own; from any thread."""
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
        """Let go of all connections. Idempotent."""
        ...
