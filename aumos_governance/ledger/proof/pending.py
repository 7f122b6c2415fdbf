"""Rows that the records speak of, each compared as soon as its last record was seen, and forgotten then.

So memory holds only the rows that are still open, and those that are wrong, however many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from ..transaction.tables import Row, columns
from .damage import damaged
from .evidence import Evidence
from .findings import Findings

__all__ = ["ANY", "Columns", "Pending"]

ANY: Final = object()
"""A value that no record says."""

Columns = dict[str, Any]


class Pending:
    """Rows of tables with one key column that hold as many rows as there are events."""

    def __init__(self, evidence: Evidence, findings: Findings) -> None:
        self._evidence = evidence
        self._findings = findings
        self._open: dict[tuple[type[Row], str], Columns] = {}
        self._missing: set[tuple[type[Row], str]] = set()
        self.made: Counter[tuple[type[Row], str]] = Counter()
        """How many rows of each table the records of each session made."""
        self.settled: Counter[type[Row]] = Counter()
        """How many rows of each table are as the records say."""

    def make(self, kind: type[Row], session_id: str, id: str, values: Columns) -> None:
        """A record says that this row was made with these values."""
        self.made[kind, session_id] += 1
        self._open[kind, id] = values
        self._compare(kind, id)

    def change(self, kind: type[Row], id: str, values: Columns | Callable[[Columns], Columns]) -> None:
        """A record says that these values of the row were changed; a function is given the values before."""
        known = self._open.get((kind, id))
        if known is None:
            row = self.row(kind, id)
            if row is None:
                self._miss(kind, id)
                return
            # It agreed with the records, and here is one more record: the row must agree with that too.
            known = self._open[kind, id] = {}
            self.settled[kind] -= 1
            before: Columns = dict(zip(columns[kind], row, strict=False))
        else:
            before = known
        known.update(values(before) if callable(values) else values)
        self._compare(kind, id)

    def row(self, kind: type[Row], id: str) -> tuple[Any, ...] | None:
        """The row as it is stored."""
        return self._evidence.find(kind, id)

    def finish(self) -> None:
        """All records were seen: what does not agree by now is a finding."""
        for (kind, id), expected in self._open.items():
            row = self.row(kind, id)
            if row is None:
                self._miss(kind, id)
            elif self._findings.check(kind, (id,), row):
                for name, found in zip(columns[kind], row, strict=False):
                    if _disagree(expected.get(name, ANY), found):
                        self._findings.differs(kind, (id,), name, expected[name], found)
        self._open.clear()

    def _compare(self, kind: type[Row], id: str) -> None:
        expected, row = self._open[kind, id], self.row(kind, id)
        if row is None:
            self._miss(kind, id)
            del self._open[kind, id]
        elif damaged(kind.TABLE, row):
            self._findings.check(kind, (id,), row)
            del self._open[kind, id]
        elif not any(
            _disagree(expected.get(name, ANY), found) for name, found in zip(columns[kind], row, strict=False)
        ):
            self.settled[kind] += 1
            del self._open[kind, id]

    def _miss(self, kind: type[Row], id: str) -> None:
        if (kind, id) not in self._missing:
            self._missing.add((kind, id))
            self._findings.missing(kind, (id,))


def _disagree(expected: Any, found: Any) -> bool:
    return expected is not ANY and (expected != found or isinstance(found, float))
