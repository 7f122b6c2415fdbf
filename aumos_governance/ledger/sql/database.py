"""What a database must offer beneath the ledger."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from ...errors import LedgerError
from .statements import Statements
from .store import Cursor

__all__ = ["Database"]


class Database(Protocol):
    """Connections and transactions of one kind of database. Its errors are LedgerErrors."""

    statements: Statements

    def writing(self) -> AbstractContextManager[Cursor]:
        """A write transaction on the writer's connection: committed at the end, undone when the block raises.

        Only the writer's thread may use it. What it raises is translated.
        """
        ...

    def reading(self) -> AbstractContextManager[Cursor]:
        """A consistent view of what is committed, on a connection of its own; from any thread."""
        ...

    def hopeless(self, error: LedgerError) -> bool:
        """True when trying the requests of a failed transaction one by one would fail in the same way."""
        ...

    def close(self) -> None:
        """Let go of all connections. Idempotent."""
        ...
