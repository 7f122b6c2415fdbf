"""What a verification reads: the protocol `Evidence`, which each backend implements over one snapshot of its data.

The constants describe the values that a backend appends to each record of a session's chain. If the record is about a
charge, a database compares the record with the charge's row itself, which is faster than a rule in Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ..rules.chain import AUDIT_COLUMNS, AuditRow
from ..transaction.tables import Row
from .walk import ChainEnd

PLAIN: Final = len(AUDIT_COLUMNS)
"""The index of the first value after a record's own columns: the result of the database's comparison of the record with
the row of its charge. The result is `SPENT_PLAINLY`, `HELD_PLAINLY` or `SETTLED_PLAINLY`, or 0 if the database did not
compare the two or found a difference."""
CHARGED_TO: Final = PLAIN + 1
"""The index of a value after a record's own columns: the charge's envelopes, as the row of the charge names them."""
CHARGED_AT: Final = PLAIN + 2
"""The index of a value after a record's own columns: when the charge was made, according to the row of the charge."""
CHARGED_IN: Final = PLAIN + 3
"""The index of a value after a record's own columns: the charge's category according to its row, or None."""

SPENT_PLAINLY: Final = 1
"""The result of the database's comparison if the record is a ``spend`` and the charge's row still has its values."""
HELD_PLAINLY: Final = 2
"""The result of the database's comparison if the record is a ``hold``, its values agree with the charge's row, and the
row's state is now ``settled`` or ``released``."""
SETTLED_PLAINLY: Final = 3
"""The result of the database's comparison if the record is a ``settle`` or ``release`` and the charge's row still has
its values."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What one verification covers: a single session, the sessions of one server, or the whole ledger."""

    session_id: str | None = None
    """The only session to verify; None unless a single session is verified."""
    under: tuple[str, str] | None = None
    """The owner and root folder of the server whose sessions are verified; None for the sessions of all servers."""

    @property
    def everything(self) -> bool:
        return self.session_id is None and self.under is None


class Evidence(Protocol):
    """The audit records and table rows of a ledger at one moment, as a backend reads them for one verification.

    A record or row is a tuple of the stored values, in the order of its table's columns. Every method may raise
    `damage.UnreadableError`.
    """

    def damage(self) -> list[str]:
        """Return the problems that the database finds when it checks its own file; empty if it finds none."""
        ...

    def salvaging(self) -> AbstractContextManager[None]:
        """Return a context in which reading invalid text does not raise an error.

        Invalid bytes are then returned as lone surrogates, so that the verification can name the damaged column.
        """
        ...

    def ends(self) -> Mapping[str, ChainEnd]:
        """Return, by chain, the stored number of its records and the hash of the last (the table ``chains``)."""
        ...

    def ledger_records(self) -> Iterator[AuditRow]:
        """Yield the records of the ledger-wide chain, by their numbers in the chain."""
        ...

    def session_records(self) -> Iterator[AuditRow]:
        """Yield the records of the chains of all sessions that are verified, one whole chain after another.

        After its own columns, a record has the values at `PLAIN`, `CHARGED_TO`, `CHARGED_AT` and `CHARGED_IN`.
        """
        ...

    def records_as_written(self) -> Iterator[AuditRow] | None:
        """Yield the records of all sessions' chains in the order in which they were written, chains intermixed.

        They have the same values as in `session_records`. Return None if the backend does not know the order.
        """
        ...

    def records(self) -> Iterator[AuditRow]:
        """Yield the audit records of all chains in any order, without additional values after their columns."""
        ...

    def rows(self, kind: type[Row]) -> Iterator[tuple[Any, ...]]:
        """Yield all rows of the table of ``kind``, also if only one session or server is verified."""
        ...

    def find(self, kind: type[Row], *key: Any) -> tuple[Any, ...] | None:
        """Return the row of the table of ``kind`` with this primary key, or None if there is no such row."""
        ...

    def charge_counts(self) -> Iterable[tuple[str, int]]:
        """Return pairs of a session's id and the number of its rows in the table of charges."""
        ...

    def responses(self) -> Iterator[tuple[Any, ...]]:
        """Yield, for each stored response, its row, the row of its charge, and the charge's notebook id, in one tuple.

        If the response has no charge, the values of the charge and the notebook id are None.
        """
        ...

    def record_at(self, at: int, record_id: str) -> AuditRow | None:
        """Return the audit record that has this id and was written at ``at`` (microseconds), or None."""
        ...
