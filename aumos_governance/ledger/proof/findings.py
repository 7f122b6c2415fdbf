"""The list of problems that a verification finds: rows that differ from the audit records, and damaged data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..contract.audit_facts import Finding
from ..transaction.tables import Row
from .damage import DAMAGED, damaged

MISSING: Final = "ROW_MISSING"
"""The code of the finding that a row does not exist although audit records name it."""
UNKNOWN: Final = "ROW_UNKNOWN"
"""The code of the finding that a row exists although no audit record names it."""
DIFFERS: Final = "ROW_DIFFERS"
"""The code of the finding that a column of a row has another value than the audit records say."""
MALFORMED: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)
"""The errors that a rule raises if the JSON detail of a record lacks a field, or a field has a wrong type."""
MOST: Final = 100
"""How many findings are listed; the others are only counted."""

_SHOWN: Final = 60


@dataclass(slots=True)
class Findings:
    """The findings of one verification: the first `MOST` in full, and the number of all further findings."""

    listed: list[Finding] = field(default_factory=list)
    unlisted: int = 0
    _damaged: set[tuple[str, str]] = field(default_factory=set)
    """By table and key: the damaged rows that were added."""

    def add(self, code: str, table: str, record: str | None, problem: str, seq: int | None = None) -> None:
        """Add a finding about a row or an audit record.

        ``record`` is the row's primary key as text. For an audit record it is the name of the record's chain, and
        ``seq`` is the record's number in that chain. ``problem`` is a sentence for the user.
        """
        if len(self.listed) < MOST:
            self.listed.append(Finding(code, problem, table, record, seq))
        else:
            self.unlisted += 1

    def differs(self, kind: type[Row], key: Sequence[Any], column: str, expected: Any, found: Any) -> None:
        """Add the finding that a column of a row has the value ``found``, while the records say ``expected``."""
        self.add(
            DIFFERS,
            kind.TABLE,
            named(key),
            f"{column} of {kind.TABLE} {named(key)} is {_shown(found)}, but the records state {_shown(expected)}.",
        )

    def missing(self, kind: type[Row], key: Sequence[Any]) -> None:
        """Add the finding that the row with this primary key does not exist, although records name it."""
        self.add(MISSING, kind.TABLE, named(key), f"The records name {kind.TABLE} {named(key)}, but it does not exist.")

    def unknown(self, kind: type[Row], key: Sequence[Any]) -> None:
        """Add the finding that the row with this primary key exists, although no record names it."""
        self.add(UNKNOWN, kind.TABLE, named(key), f"{kind.TABLE} {named(key)} exists, but no record names it.")

    def malformed(self, chain: str, seq: int) -> None:
        """Add the finding that the JSON detail of a record lacks a field that its event needs, or has a wrong value."""
        self.add(
            "RECORD_UNKNOWN",
            "audit",
            chain,
            f"Record {seq} of chain {chain} has a detail that does not match its event.",
            seq,
        )

    def check(self, kind: type[Row], key: Sequence[Any], values: Sequence[Any]) -> bool:
        """Return whether each value of a row has its column's type; add one finding for the row if a value has not."""
        wrong = damaged(kind.TABLE, values)
        about = (kind.TABLE, named(key))
        if wrong and about not in self._damaged:
            self._damaged.add(about)
            self.add(DAMAGED, *about, f"{kind.TABLE} {about[1]} is damaged: {', '.join(wrong)} cannot be read.")
        return not wrong


def named(key: Sequence[Any]) -> str:
    """Return the parts of a row's primary key as one text for messages, separated by spaces."""
    return " ".join(part if isinstance(part, str) and part else repr(part) for part in key)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
