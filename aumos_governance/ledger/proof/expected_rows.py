"""The values that rows must have according to audit records, and their comparison with the stored rows.

A row can have several records, for example a hold and its settlement. After each record, the stored row is compared
with the values of its records so far. Once they agree, the expected values are deleted from memory. So memory is needed
only for rows that later records will change, and for wrong rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from ..transaction.tables import Row, columns
from .damage import damaged
from .evidence import Evidence
from .findings import Findings

ANY: Final = object()
"""Used as an expected value if the records do not contain the value: any stored value is right."""

Columns = dict[str, Any]
"""The expected values of a row, by the names of the columns."""


class ExpectedRows:
    """The expected rows of the tables with one id as primary key: charges, approvals, reports, corrections, estimates.

    Rules call `create` and `change` with the values from records. Differences are added to ``findings``.
    """

    def __init__(self, evidence: Evidence, findings: Findings) -> None:
        self._evidence = evidence
        self._findings = findings
        self._open: dict[tuple[type[Row], str], Columns] = {}
        """The rows that do not agree with their records so far, with the expected values."""
        self._missing: set[tuple[type[Row], str]] = set()
        """The rows that do not exist, and were reported already."""
        self._damaged: set[tuple[type[Row], str]] = set()
        """The rows with damaged values, which were reported already. Later records about them are ignored."""
        self.made: Counter[tuple[type[Row], str]] = Counter()
        """By table and session: how many rows there must be according to the records."""
        self.agreeing: Counter[type[Row]] = Counter()
        """By table: how many stored rows agree with all their records so far."""

    def create(self, kind: type[Row], session_id: str, id: str, values: Columns) -> None:
        """Expect a new row with this id and these values, because a record says that the row was created.

        Columns that ``values`` lacks may have any value. ``session_id`` is the row's session, for the counts in `made`.
        """
        self.made[kind, session_id] += 1
        self._compare(kind, id, values)

    def change(self, kind: type[Row], id: str, values: Columns | Callable[[Columns], Columns]) -> None:
        """Expect other values in an existing row, because a record says that the row was changed.

        ``values`` has the changed columns, or is a function that returns them. The function gets the values from before
        the change.
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
        """Return the stored row of the table of ``kind`` with this id, or None if there is no such row."""
        return self._evidence.find(kind, id)

    def finish(self) -> None:
        """Add a finding for each row that still differs from its records; call this after the last record."""
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
