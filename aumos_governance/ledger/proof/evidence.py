"""The protocol of a backend's stored records and rows, all from one snapshot, for a verification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ..rules.chain import AUDIT_COLUMNS, AuditRow
from ..transaction.tables import Row
from .walk import ChainEnd

PLAIN: Final = len(AUDIT_COLUMNS)
"""The index, after a session record's own columns, of the result of the database's comparison of the record with its
charge's row: `SPENT_PLAINLY`, `HELD_PLAINLY` or `SETTLED_PLAINLY`, or 0 if the database did not compare them or found a
difference."""
CHARGED_TO: Final = PLAIN + 1
"""The index, after a record's own columns, of the envelopes in its charge's row."""
CHARGED_AT: Final = PLAIN + 2
"""The index, after a record's own columns, of the time in its charge's row."""
CHARGED_IN: Final = PLAIN + 3
"""The index, after a record's own columns, of the category in its charge's row."""

SPENT_PLAINLY: Final = 1
"""The charge's row is as this record of a spend made it, and is unchanged since."""
HELD_PLAINLY: Final = 2
"""The charge's row agrees with this record of a hold, and has been settled or released since."""
SETTLED_PLAINLY: Final = 3
"""The charge's row is as this record of a settlement or release left it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The extent of a verification: one session, the sessions of one owner and root, or with neither everything."""

    session_id: str | None = None
    under: tuple[str, str] | None = None

    @property
    def everything(self) -> bool:
        return self.session_id is None and self.under is None


class Evidence(Protocol):
    """The stored records and rows of a ledger.

    Rows are tuples in the order of their table's columns. Every method may raise `damage.UnreadableError`.
    """

    def damage(self) -> list[str]:
        """Return the messages of the database's own check of its file; empty if the check finds no problem."""
        ...

    def salvaging(self) -> AbstractContextManager[None]:
        """Return a context that makes records with invalid text readable: as bytes, or with lone surrogates."""
        ...

    def ends(self) -> Mapping[str, ChainEnd]:
        """Return the stored end of each chain."""
        ...

    def ledger_records(self) -> Iterator[AuditRow]:
        """Yield the records of the ledger-wide chain, in order."""
        ...

    def session_records(self) -> Iterator[AuditRow]:
        """Yield the records of all sessions' chains in the scope, chain by chain and in order.

        A record's columns are followed by the values that `PLAIN` and the next three constants describe.
        """
        ...

    def records_as_written(self) -> Iterator[AuditRow] | None:
        """Yield the same as `session_records`, in the order of writing; return None if that order is not known."""
        ...

    def records(self) -> Iterator[AuditRow]:
        """Yield all records that can be read, in any order, with nothing after their columns."""
        ...

    def rows(self, kind: type[Row]) -> Iterator[tuple[Any, ...]]:
        """Yield all rows of a table, regardless of the scope."""
        ...

    def find(self, kind: type[Row], *key: Any) -> tuple[Any, ...] | None:
        """Return the row with this primary key, or None if there is none."""
        ...

    def charge_counts(self) -> Iterable[tuple[str, int]]:
        """Return how many charges each session has."""
        ...

    def responses(self) -> Iterator[tuple[Any, ...]]:
        """Yield the row of each stored response, followed by its charge's row and the id of that charge's notebook.

        For a response without a charge, these values are None.
        """
        ...

    def record_at(self, at: int, record_id: str) -> AuditRow | None:
        """Return the audit record with this time and id, or None if there is none."""
        ...
