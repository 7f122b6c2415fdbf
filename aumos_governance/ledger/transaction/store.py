"""The interface that each backend (memory, SQLite, PostgreSQL) implements to load and write rows in a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..rules.chain import AuditRow
from .rows import NotebookRow, ResponseRow
from .selections import Selection
from .tables import Key, Row, RowT

Place = tuple[str, str]
"""The owner and the file of a notebook. Together they identify a *live* notebook, which is one that is not deleted."""


class Store(Protocol):
    """A backend's rows, as one transaction loads and writes them. Operations use it only through their `Work`.

    The methods return new objects, which the caller may change, and lock the stored rows until the transaction ends. A
    notebook is *live* if it is not deleted.
    """

    @property
    def tables(self) -> Mapping[type[Row], Mapping[Key, Row]] | None:
        """The stored row objects of a ledger in memory, by class and primary key; None for a database.

        A caller can read them without copying them, and must not change them.
        """
        ...

    @property
    def places(self) -> Mapping[Place, str] | None:
        """The ids of the live notebooks in a ledger in memory, by owner and file; None for a database."""
        ...

    def load(self, kind: type[RowT], key: Key) -> RowT | None:
        """Return the row of this class with this primary key, or None if there is none."""
        ...

    def responses(self, scope: str, keys: Sequence[str]) -> list[ResponseRow]:
        """Return the rows of the stored responses to the requests with this scope and these idempotency keys."""
        ...

    def notebook_at(self, owner: str, file: str) -> NotebookRow | None:
        """Return the row of the live notebook with this owner and file, or None if there is none."""
        ...

    def notebooks_under(self, owner: str, file: str) -> list[NotebookRow]:
        """Return the rows of an owner's live notebooks at or below a path, sorted by file.

        ``file`` is the path of one notebook's file, or of a folder with notebooks.
        """
        ...

    def select(self, selection: Selection[RowT], values: tuple[Any, ...]) -> list[RowT]:
        """Return the rows that a selection searches for, in order of their keys; ``values`` are its parameters."""
        ...

    def open_holds(self, envelope_id: str, since: int) -> tuple[int, int]:
        """Return two figures of an envelope's open holds: how many belong to live callers, and a sum in nano-USD.

        The sum is that of the unresolved holds, whose kernel has ended. Only holds that were made at ``since`` or later
        are included, and no holds of 0. Nothing is locked.
        """
        ...

    def due(self, now: int) -> bool:
        """Whether any open hold or pending approval request has expired by ``now``, in microseconds since the epoch.

        Every transaction checks this first, and ends those that have expired.
        """
        ...

    def last_seq(self, owner: str, file: str) -> int:
        """Return the highest ``seq`` of the deleted notebooks with this owner and file, or 0 if there are none.

        A new notebook at this file continues from it, so that the ``seq`` of the states at one path never falls.
        """
        ...

    def write(self, new: Iterable[Row], changed: Iterable[Row], audit: Iterable[AuditRow]) -> None:
        """Insert the new rows and the audit records into their tables, and update the changed rows."""
        ...
