"""The list of what `verify` finds: differences between the ledger's tables and its audit records, and damaged data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..contract.audit_facts import Finding
from ..transaction.tables import Row
from .damage import DAMAGED, damaged

__all__ = ["DIFFERS", "MALFORMED", "MISSING", "MOST", "UNKNOWN", "Findings", "named"]

MISSING: Final = "ROW_MISSING"
"""The code of a finding: records name a row that does not exist."""
UNKNOWN: Final = "ROW_UNKNOWN"
"""The code of a finding: a row exists that no record names."""
DIFFERS: Final = "ROW_DIFFERS"
"""The code of a finding: a row has another value than the records state."""
MALFORMED: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError)
"""The errors that a rule raises for a record's detail that no version of this package has written."""
MOST: Final = 100
"""How many findings are listed; the others are only counted."""

_SHOWN: Final = 60


@dataclass(slots=True)
class Findings:
    """The first `MOST` findings, and how many more there are."""

    listed: list[Finding] = field(default_factory=list)
    unlisted: int = 0
    _damaged: set[tuple[str, str]] = field(default_factory=set)
    """By table and key: the damaged rows that were added."""

    def add(self, code: str, table: str, record: str | None, problem: str, seq: int | None = None) -> None:
        """Add a finding; ``record`` is the row's key, or the chain of an audit record, whose number is ``seq``."""
        if len(self.listed) < MOST:
            self.listed.append(Finding(code, problem, table, record, seq))
        else:
            self.unlisted += 1

    def differs(self, kind: type[Row], key: Sequence[Any], column: str, expected: Any, found: Any) -> None:
        """Add a finding that a column of a row has another value than the records state."""
        self.add(
            DIFFERS,
            kind.TABLE,
            named(key),
            f"{column} of {kind.TABLE} {named(key)} is {_shown(found)}, but the records state {_shown(expected)}.",
        )

    def missing(self, kind: type[Row], key: Sequence[Any]) -> None:
        """Add a finding that a row does not exist."""
        self.add(MISSING, kind.TABLE, named(key), f"The records name {kind.TABLE} {named(key)}, but it does not exist.")

    def unknown(self, kind: type[Row], key: Sequence[Any]) -> None:
        """Add a finding that no record names a row."""
        self.add(UNKNOWN, kind.TABLE, named(key), f"{kind.TABLE} {named(key)} exists, but no record names it.")

    def malformed(self, chain: str, seq: int) -> None:
        """Add a finding that a record's detail is not what its event requires."""
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
    """Return the words that name a row's key in a sentence."""
    return " ".join(part if isinstance(part, str) and part else repr(part) for part in key)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
