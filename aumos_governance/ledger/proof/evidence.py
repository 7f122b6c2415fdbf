"""What a backend offers to a verification: its records and rows as they are stored, all in one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ..rules.chain import AUDIT_COLUMNS, AuditRow
from ..transaction.tables import Row
from .verify import ChainEnd

__all__ = [
    "CHARGED_AT",
    "CHARGED_IN",
    "CHARGED_TO",
    "HELD_PLAINLY",
    "PLAIN",
    "SETTLED_PLAINLY",
    "SPENT_PLAINLY",
    "Evidence",
    "Scope",
]

PLAIN: Final = len(AUDIT_COLUMNS)
"""Beside a record: how far its charge's row was already compared with it, one of the three constants below, or 0."""
CHARGED_TO: Final = PLAIN + 1
"""Beside a record: the envelopes of its charge's row."""
CHARGED_AT: Final = PLAIN + 2
"""Beside a record: when its charge's row says that it was made."""
CHARGED_IN: Final = PLAIN + 3
"""Beside a record: the category of its charge's row."""

SPENT_PLAINLY: Final = 1
"""The row is what a spend makes, and nothing happened to it since."""
HELD_PLAINLY: Final = 2
"""The row is what a hold makes, settled or released since."""
SETTLED_PLAINLY: Final = 3
"""The row is what this settlement or release made of it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is verified: one session, the sessions of one owner and root, or with neither everything."""

    session_id: str | None = None
    under: tuple[str, str] | None = None

    @property
    def everything(self) -> bool:
        return self.session_id is None and self.under is None


class Evidence(Protocol):
    """Rows are tuples in the order of their table's columns; every method may raise `damage.UnreadableError`."""

    def damage(self) -> list[str]:
        """What the database itself finds wrong with its file, in its own words."""
        ...

    def salvaging(self) -> AbstractContextManager[None]:
        """While it is entered, records with invalid text are read too: such text is bytes, or has lone surrogates."""
        ...

    def ends(self) -> Mapping[str, ChainEnd]:
        """By chain, what is kept of its end."""
        ...

    def ledger_records(self) -> Iterator[AuditRow]:
        """The records of the ledger-wide chain, in order."""
        ...

    def session_records(self) -> Iterator[AuditRow]:
        """The records of all other chains of the scope, chain by chain; what follows a record's columns is above."""
        ...

    def records_as_written(self) -> Iterator[AuditRow] | None:
        """`session_records` in the order in which they were written; None where that is not known."""
        ...

    def records(self) -> Iterator[AuditRow]:
        """All records that can be read, in any order, with nothing beside them."""
        ...

    def rows(self, kind: type[Row]) -> Iterator[tuple[Any, ...]]:
        """All rows of a table, whatever the scope."""
        ...

    def find(self, kind: type[Row], *key: Any) -> tuple[Any, ...] | None:
        """The row with this primary key."""
        ...

    def charge_counts(self) -> Iterable[tuple[str, int]]:
        """How many charges each session has."""
        ...

    def responses(self) -> Iterator[tuple[Any, ...]]:
        """All stored responses, each row followed by its charge's row and the session's notebook, where it has a
        charge.
        """
        ...

    def record_at(self, at: int, record_id: str) -> AuditRow | None:
        """The audit record with this time and id."""
        ...
