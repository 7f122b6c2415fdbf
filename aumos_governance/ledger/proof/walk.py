"""The walk over hash chains that verifies each record's place and hash; a backend supplies the records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from ..contract.audit_facts import Finding, VerifyResult
from ..rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN, START, AuditRow, digest
from .damage import DAMAGED, UnreadableError, damaged

__all__ = ["CHAIN_BROKEN", "ChainEnd", "Walk"]

CHAIN_BROKEN: Final = "CHAIN_BROKEN"
"""The code of a finding: a record was changed, removed, inserted or moved."""
HEAD_UNKNOWN: Final = "HEAD_UNKNOWN"
"""The code of a finding: no record has the known head, which a user kept elsewhere."""

_SEQ = AUDIT_COLUMNS.index("seq")
_EVENT = AUDIT_COLUMNS.index("event")
_DETAIL = AUDIT_COLUMNS.index("detail")
_NOTEBOOK = AUDIT_COLUMNS.index("notebook_id")
_PREVIOUS = AUDIT_COLUMNS.index("previous_hash")
_HASH = AUDIT_COLUMNS.index("hash")


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The end of a chain as the table ``chains`` states it: how many records it has, and the last one's hash."""

    count: int
    head: str


def _ignore(row: AuditRow) -> None:
    """Do nothing with a record."""


@dataclass(slots=True)
class Walk:
    """A walk over chains, one after the other, up to the first broken record.

    The ledger-wide chain must be walked first: its records state hashes in the sessions' chains, which must agree.
    """

    known_head: str | None = None
    """A hash that a record must have, or None if none is known."""
    notebooks: AbstractSet[str] | None = None
    """The notebooks whose sessions must be walked; None: all sessions that the ledger-wide chain names."""
    checked: int = 0
    """How many records were found intact."""
    heads: dict[str, str] = field(default_factory=dict)
    """By chain: the head of each chain that was found intact."""
    failure: VerifyResult | None = None
    """The result with the first broken record; None while none was found."""
    on_record: Callable[[AuditRow], None] = _ignore
    """Called with each record that was found intact."""
    _stated_hashes: dict[str, dict[int, str]] = field(default_factory=dict)
    """By session and record number: the hash that the ledger-wide chain states for that record."""
    _seen_head: bool = False
    """Whether a record had the known head."""

    def chain(self, name: str, rows: Iterable[AuditRow], end: ChainEnd | None) -> bool:
        """Check one chain; ``rows`` are its records in order of ``seq``. Return False if the chain is broken.

        In that case `failure` is set, and no other chain may be walked.
        """
        if end is None:
            return self._fail(name, 1, f"There are records of {_in_words(name)}, but no stored end of its chain.")
        stated = self._stated_hashes.get(name, {})
        previous, seq, on_record = START, 0, self.on_record
        for row in self._readable(name, rows):
            seq += 1
            if row[_SEQ] != seq:
                return self._fail(name, seq, *_or_damaged(name, seq, row, _wrong_seq(name, seq, row[_SEQ])))
            if row[_PREVIOUS] != previous:
                problem = f"Record {seq} of {_in_words(name)} does not follow the record before it."
                return self._fail(name, seq, *_or_damaged(name, seq, row, problem))
            previous = row[_HASH]
            if not _is_intact(row):
                problem = f"Record {seq} of {_in_words(name)} was changed after it was written."
                return self._fail(name, seq, *_or_damaged(name, seq, row, problem))
            if seq in stated and stated[seq] != previous:
                return self._fail(
                    name, seq, f"Record {seq} of {_in_words(name)} is not the one that the ledger's own chain names."
                )
            if previous == self.known_head:
                self._seen_head = True
            if name == LEDGER_CHAIN:
                self._note_stated_hash(row)
            on_record(row)
            self.checked += 1
        return self.failure is None and self._ends(name, seq, previous, end)

    def _ends(self, name: str, seq: int, head: str, end: ChainEnd) -> bool:
        if damaged("chains", (name, end.count, end.head)):
            problem = f"The stored end of {_in_words(name)} (head, count) is damaged."
            return self._fail(name, seq, problem, DAMAGED, "chains")
        last_stated = max(self._stated_hashes.get(name, {}), default=0)
        if seq < max(end.count, last_stated):
            return self._fail(
                name, seq + 1, f"Record {seq + 1} of {_in_words(name)} is missing, with all that followed it."
            )
        if seq > end.count or head != end.head:
            return self._fail(name, seq, f"Record {seq} of {_in_words(name)} is not the last one that was written.")
        self.heads[name] = head
        return True

    def walk_as_written(self, rows: Iterable[AuditRow], ends: Mapping[str, ChainEnd]) -> bool:
        """Check all sessions' chains at once; ``rows`` are their records in the order of writing.

        Records lie on the disk in that order, so this is quicker than chain by chain. Return False if there is any
        problem. Then this object is unchanged, although `on_record` was called, and `chain` can find the problem.
        """
        at: dict[str, tuple[int, str]] = {}
        at_start, stated, known_head, checked, seen_head = (0, START), self._stated_hashes, self.known_head, 0, False
        on_record = self.on_record
        for row in rows:
            name, seq, previous, found = row[0], row[_SEQ], row[_PREVIOUS], row[_HASH]
            before, head = at.get(name, at_start)
            if seq != before + 1 or previous != head or not _is_intact(row):
                return False
            if name in stated and stated[name].get(seq, found) != found:
                return False
            if found == known_head:
                seen_head = True
            at[name] = (seq, found)
            checked += 1
            on_record(row)
        for name, (seq, head) in at.items():
            if ends.get(name) != ChainEnd(seq, head) or max(stated.get(name, ()), default=0) > seq:
                return False
        self.checked += checked
        self.heads.update((name, at[name][1]) for name in sorted(at))
        self._seen_head = self._seen_head or seen_head
        return True

    def result(self, walked_all: bool) -> VerifyResult:
        """Return the result; with ``walked_all``, a session that only the ledger-wide chain names is a failure."""
        if self.failure is None and walked_all:
            for session in self._stated_hashes:
                if session not in self.heads:
                    self._fail(session, 1, f"{_in_words(session).capitalize()} is missing with all its records.")
                    break
        if self.failure is None and self.known_head is not None and not self._seen_head:
            where = "any chain" if walked_all else "this chain"
            problem = f"No record of {where} has the known head {self.known_head}."
            finding = Finding(HEAD_UNKNOWN, problem)
            self.failure = VerifyResult(False, self.checked, dict(self.heads), problem, findings=(finding,))
        return self.failure or VerifyResult(True, self.checked, dict(self.heads))

    def _note_stated_hash(self, row: AuditRow) -> None:
        """Remember the hash in a session's chain that a record of the ledger-wide chain states."""
        if row[_EVENT] in ("open", "close") and (self.notebooks is None or row[_NOTEBOOK] in self.notebooks):
            try:
                detail = json.loads(row[_DETAIL])
                self._stated_hashes.setdefault(detail["session"], {})[detail["count"]] = detail["head"]
            except (KeyError, TypeError, ValueError):
                # This package writes no such record, so it states no hash.
                return

    def _readable(self, name: str, rows: Iterable[AuditRow]) -> Iterator[AuditRow]:
        """Yield the records up to the first unreadable record; set `failure` for that record."""
        read = 0
        try:
            for row in rows:
                read += 1
                yield row
        except UnreadableError as error:
            self._fail(name, read + 1, f"Record {read + 1} of {_in_words(name)} cannot be read: {error}.", DAMAGED)

    def _fail(self, name: str, seq: int, problem: str, code: str = CHAIN_BROKEN, table: str = "audit") -> bool:
        finding = Finding(code, problem, table, name, seq)
        self.failure = VerifyResult(False, self.checked, dict(self.heads), problem, name, seq, (finding,))
        return False


def _is_intact(row: AuditRow) -> bool:
    try:
        return bool(digest(row[:_HASH]) == row[_HASH])
    except (TypeError, ValueError):
        # Bytes, or text that is not valid Unicode, which is never hashed.
        return False


def _or_damaged(name: str, seq: int, row: AuditRow, problem: str) -> tuple[str, str]:
    """Return the problem and code of a broken record: ``problem``, or another one if its values cannot be read."""
    wrong = damaged("audit", row)
    if wrong:
        return f"Record {seq} of {_in_words(name)} is damaged: {', '.join(wrong)} cannot be read.", DAMAGED
    return problem, CHAIN_BROKEN


def _in_words(chain: str) -> str:
    return "the ledger's own chain" if chain == LEDGER_CHAIN else f"session {chain}"


def _wrong_seq(name: str, expected: int, found: Any) -> str:
    if isinstance(found, int) and found < expected:
        return f"Record {found} of {_in_words(name)} exists twice."
    return f"Record {expected} of {_in_words(name)} is missing."
