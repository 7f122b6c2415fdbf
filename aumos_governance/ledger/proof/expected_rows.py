"""The expected rows of tables, derived from the values that records state.

After each record of a row, the stored row is compared with its records so far; once it agrees, it is forgotten. So
memory is needed only for rows that later records will change, and for wrong rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from ..transaction.tables import Row, columns
from .damage import damaged
from .evidence import Evidence
from .findings import Findings

__all__ = ["ANY", "Columns", "ExpectedRows"]

ANY: Final = object()
"""The placeholder for a value that no record states: any stored value agrees with it."""

Columns = dict[str, Any]
"""By column: the value that the records state."""


class ExpectedRows:
    """The expected rows of the tables that get a new row for each event of a kind, such as charges.

    Their primary key is a single column.
    """

    def __init__(self, evidence: Evidence, findings: Findings) -> None:
        self._evidence = evidence
        self._findings = findings
        self._open: dict[tuple[type[Row], str], Columns] = {}
        """The rows that do not agree with their records so far, with the expected values."""
        self._missing: set[tuple[type[Row], str]] = set()
        """The rows that were reported as missing."""
        self._damaged: set[tuple[type[Row], str]] = set()
        """The rows that were reported as damaged: further records of them are not replayed."""
        self.made: Counter[tuple[type[Row], str]] = Counter()
        """By table and session: how many rows the records created."""
        self.agreeing: Counter[type[Row]] = Counter()
        """By table: how many rows agree with the records."""

    def create(self, kind: type[Row], session_id: str, id: str, values: Columns) -> None:
        """Expect a row with these values, since a record states that the row was created."""
        self.made[kind, session_id] += 1
        self._compare(kind, id, values)

    def change(self, kind: type[Row], id: str, values: Columns | Callable[[Columns], Columns]) -> None:
        """Expect that these values of a row were changed, as a record states.

        ``values`` may be a function, which is called with the values before the change and returns the changed values.
        """
        if (kind, id) in self._damaged:
            return
        before = self._open.pop((kind, id), None)
        if before is None:
            row = self.row(kind, id)
            if row is None:
                self._miss(kind, id)
                return
            # The row agreed with all earlier records and was forgotten. It must agree with this record as well.
            self.agreeing[kind] -= 1
            before = dict(zip(columns[kind], row, strict=False))
        self._compare(kind, id, before | (values(before) if callable(values) else values))

    def row(self, kind: type[Row], id: str) -> tuple[Any, ...] | None:
        """Return the stored row, or None if there is none."""
        return self._evidence.find(kind, id)

    def finish(self) -> None:
        """Report the rows that do not agree with the records, after all records were replayed."""
        for (kind, id), expected in self._open.items():
            for name, found in zip(columns[kind], self.row(kind, id) or (), strict=False):
                if _disagree(expected.get(name, ANY), found):
                    self._findings.differs(kind, (id,), name, expected[name], found)

    def _compare(self, kind: type[Row], id: str, expected: Columns) -> None:
        row = self.row(kind, id)
        if row is None:
            self._miss(kind, id)
        elif damaged(kind.TABLE, row):
            self._damaged.add((kind, id))
            self._findings.check(kind, (id,), row)
        elif any(_disagree(expected.get(name, ANY), found) for name, found in zip(columns[kind], row, strict=False)):
            self._open[kind, id] = expected
        else:
            self.agreeing[kind] += 1

    def _miss(self, kind: type[Row], id: str) -> None:
        if (kind, id) not in self._missing:
            self._missing.add((kind, id))
            self._findings.missing(kind, (id,))


def _disagree(expected: Any, found: Any) -> bool:
    return expected is not ANY and expected != found
