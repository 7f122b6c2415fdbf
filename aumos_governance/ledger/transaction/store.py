"""What a backend must do for one transaction: load rows and write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ..rules.chain import AuditRow
from .rows import NotebookRow, ResponseRow
from .selections import Selection
from .tables import Key, Row, RowT

__all__ = ["Place", "Store"]

Place = tuple[str, str]
"""A notebook's owner and file."""


class Store(Protocol):
    """A backend within one transaction. What it loads belongs to the caller, and is locked for writing."""

    @property
    def tables(self) -> Mapping[type[Row], Mapping[Key, Row]] | None:
        """The stored rows themselves, by kind and key, where they are in memory; else None."""
        ...

    @property
    def places(self) -> Mapping[Place, str] | None:
        """The ids of the live notebooks by their places, where they are in memory; else None."""
        ...

    def load(self, kind: type[RowT], key: Key) -> RowT | None:
        """The row with this primary key."""
        ...

    def responses(self, scope: str, keys: Sequence[str]) -> list[ResponseRow]:
        """The responses under these keys of a scope, as far as there are any."""
        ...

    def notebook_at(self, owner: str, file: str) -> NotebookRow | None:
        """The live notebook that is this file."""
        ...

    def notebooks_under(self, owner: str, file: str) -> list[NotebookRow]:
        """The live notebooks that are this file or lie in this folder, by file."""
        ...

    def select(self, selection: Selection[RowT], values: tuple[Any, ...]) -> list[RowT]:
        """The rows of a selection, in order of their keys."""
        ...

    def open_holds(self, envelope_id: str, since: int) -> tuple[int, int]:
        """Of the open holds in this envelope that were made at ``since`` or later: how many are of live callers, and
        the sum of the others, whose outcome is unknown. Locks nothing; holds of nothing are left out.
        """
        ...

    def due(self, now: int) -> bool:
        """Whether a hold or an approval has come to its stated time."""
        ...

    def last_seq(self, owner: str, file: str) -> int:
        """The highest ``seq`` that a deleted notebook with this file had; 0 when there was none."""
        ...

    def write(self, new: Iterable[Row], changed: Iterable[Row], audit: Iterable[AuditRow]) -> None:
        """Write rows that were not there, rows that were, and audit records."""
        ...
