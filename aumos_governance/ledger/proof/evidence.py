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
"""The index, in a result of `Evidence.session_records`, of what the database found when it compared the audit record
with the row of its charge: `SPENT_PLAINLY`, `HELD_PLAINLY` or `SETTLED_PLAINLY`, or 0 if it did not compare the two or
found a difference."""
CHARGED_TO: Final = PLAIN + 1
"""The index, in a result of `Evidence.session_records`, of the ids of the charge's envelopes, from the charge's row."""
CHARGED_AT: Final = PLAIN + 2
"""The index, in a result of `Evidence.session_records`, of the time when the charge was made, from the charge's row."""
CHARGED_IN: Final = PLAIN + 3
"""The index, in a result of `Evidence.session_records`, of the charge's category or None, from the charge's row."""

SPENT_PLAINLY: Final = 1
"""The value at `PLAIN` if the record is about a ``spend``, and the charge's row still has the record's values."""
HELD_PLAINLY: Final = 2
"""The value at `PLAIN` if the record is about a ``hold``, and the charge's row agrees with it, except that the hold was
settled or released since."""
SETTLED_PLAINLY: Final = 3
"""The value at `PLAIN` if the record is about a ``settle`` or ``release``, and the charge's row still has the record's
values."""


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
        """Return the stored end of each chain by the chain's name, from the table ``chains``."""
        ...

    def ledger_records(self) -> Iterator[AuditRow]:
        """Yield the records of the ledger-wide chain, in the order of their numbers."""
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
