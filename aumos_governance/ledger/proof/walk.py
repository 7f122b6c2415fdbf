"""The walk over hash chains: it verifies the number, the predecessor and the hash of each audit record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from ..contract.audit_facts import Finding, VerifyResult
from ..rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN, START, AuditRow, digest
from .damage import DAMAGED, UnreadableError, damaged

CHAIN_BROKEN: Final = "CHAIN_BROKEN"
"""The code of the finding that a record was changed, removed, inserted or moved."""
HEAD_UNKNOWN: Final = "HEAD_UNKNOWN"
"""The code of the finding that no record has the known head, a hash that the user kept from an earlier verification."""

_SEQ = AUDIT_COLUMNS.index("seq")
_EVENT = AUDIT_COLUMNS.index("event")
_DETAIL = AUDIT_COLUMNS.index("detail")
_NOTEBOOK = AUDIT_COLUMNS.index("notebook_id")
_PREVIOUS = AUDIT_COLUMNS.index("previous_hash")
_HASH = AUDIT_COLUMNS.index("hash")


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The stored end of a chain, from the table ``chains``: the number of records, and the last record's hash."""

    count: int
    head: str


def _ignore(row: AuditRow) -> None:
    """Do nothing with a record."""


@dataclass(slots=True)
class Walk:
    """A walk over hash chains, one after the other, which ends at the first broken record; used for one verification.

    The ledger-wide chain must be walked first. Its records of opened and closed sessions contain hashes of records in
    the sessions' chains, and the walk verifies these as well.
    """

    known_head: str | None = None
    """A hash that the user kept from an earlier verification, and that one of the records must have; None if there is
    none."""
    notebooks: AbstractSet[str] | None = None
    """The ids of the notebooks whose sessions are verified; None for the sessions of all notebooks."""
    checked: int = 0
    """How many records were found intact so far."""
    heads: dict[str, str] = field(default_factory=dict)
    """By chain: the hash of the last record, for each chain that was found intact."""
    failure: VerifyResult | None = None
    """The result of the verification if a record is broken; None as long as all records are intact."""
    on_record: Callable[[AuditRow], None] = _ignore
    """A function that is called with each record that was found intact, to derive the values of rows from it."""
    _stated_hashes: dict[str, dict[int, str]] = field(default_factory=dict)
    """By session and number of a record: the hash of this record according to the ledger-wide chain."""
    _seen_head: bool = False
    """Whether one of the records so far has the hash `known_head`."""

    def chain(self, name: str, rows: Iterable[AuditRow], end: ChainEnd | None) -> bool:
        """Verify one chain, and return whether it is intact. If not, `failure` is set, and the walk must end.

        - ``name``: the session's id, or ``"ledger"`` for the ledger-wide chain.
        - ``rows``: the records of the chain, by their numbers.
        - ``end``: the stored end of the chain, or None if the table ``chains`` has no row for it.
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
        """Verify the chains of all sessions together, and return whether all are intact.

        ``rows`` are the records of all chains in the order in which they were written, and ``ends`` are the stored ends
        of the chains. This is the order on the disk, so reading it is quicker than reading chain by chain. If the
        result is False, only `on_record` was called, and nothing else was changed; `chain` then finds the problem.
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
        """Return the result of the walk.

        ``walked_all`` says that all chains were walked. Then the result is a failure if the ledger-wide chain names a
        session that had no chain.
        """
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
        """If a record of the ledger-wide chain is about an opened or closed session, note the hash that it contains.

        It is the hash of a record in the session's chain, which must have this hash when that chain is walked.
        """
        if row[_EVENT] in ("open", "close") and (self.notebooks is None or row[_NOTEBOOK] in self.notebooks):
            try:
                detail = json.loads(row[_DETAIL])
                self._stated_hashes.setdefault(detail["session"], {})[detail["count"]] = detail["head"]
            except (KeyError, TypeError, ValueError):
                # This package writes no such record, so it states no hash.
                return

    def _readable(self, name: str, rows: Iterable[AuditRow]) -> Iterator[AuditRow]:
        """Yield the records of a chain. If the database cannot read one, set `failure` for that record and end."""
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
    """Return the sentence and the code of the finding for a broken record.

    They say that the record is damaged if some of its values cannot be read, and otherwise they are ``problem`` and
    `CHAIN_BROKEN`.
    """
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
