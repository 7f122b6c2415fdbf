"""The protocol of a backend's store: it loads and writes the rows of one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..rules.chain import AuditRow
from .rows import NotebookRow, ResponseRow
from .selections import Selection
from .tables import Key, Row, RowT

Place = tuple[str, str]
"""The owner and file of a notebook, which identify a notebook that is not deleted."""


class Store(Protocol):
    """The rows of a backend within one transaction.

    The returned rows are locked for writing. They are new objects, which the caller may change.
    """

    @property
    def tables(self) -> Mapping[type[Row], Mapping[Key, Row]] | None:
        """The stored rows themselves, by class and key, of a ledger in memory; None for a database."""
        ...

    @property
    def places(self) -> Mapping[Place, str] | None:
        """The ids of the live notebooks, by owner and file, of a ledger in memory; None for a database."""
        ...

    def load(self, kind: type[RowT], key: Key) -> RowT | None:
        """Return the row with this primary key, or None if there is none."""
        ...

    def responses(self, scope: str, keys: Sequence[str]) -> list[ResponseRow]:
        """Return the stored responses to the requests with this scope and these keys."""
        ...

    def notebook_at(self, owner: str, file: str) -> NotebookRow | None:
        """Return the live notebook with this owner and file, or None if there is none."""
        ...

    def notebooks_under(self, owner: str, file: str) -> list[NotebookRow]:
        """Return the live notebooks of an owner that have this file or lie in this folder, sorted by file."""
        ...

    def select(self, selection: Selection[RowT], values: tuple[Any, ...]) -> list[RowT]:
        """Return the rows of a selection, in order of their keys."""
        ...

    def open_holds(self, envelope_id: str, since: int) -> tuple[int, int]:
        """Return two figures of the open holds in an envelope that were made at ``since`` or later.

        The first is the number of holds of live callers; the second is the sum, in nano-USD, of the holds whose outcome
        is unknown. Holds of 0 are left out. Nothing is locked.
        """
        ...

    def due(self, now: int) -> bool:
        """Whether an open hold or a pending approval has expired by ``now``."""
        ...

    def last_seq(self, owner: str, file: str) -> int:
        """Return the highest ``seq`` of the deleted notebooks with this owner and file, or 0 if there are none."""
        ...

    def write(self, new: Iterable[Row], changed: Iterable[Row], audit: Iterable[AuditRow]) -> None:
        """Insert the new rows and the audit records, and update the changed rows."""
        ...
