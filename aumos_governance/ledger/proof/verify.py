"""Walks over hash chains: pure, over whatever rows a backend reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from ..contract.audit_facts import Finding, VerifyResult
from ..rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN, START, AuditRow, digest
from .damage import DAMAGED, UnreadableError, damaged

__all__ = ["CHAIN_BROKEN", "ChainEnd", "Walk"]

CHAIN_BROKEN: Final = "CHAIN_BROKEN"
"""A record was changed, removed, inserted or moved."""
HEAD_UNKNOWN: Final = "HEAD_UNKNOWN"
"""A head that was kept elsewhere is the hash of no record."""

_SEQ = AUDIT_COLUMNS.index("seq")
_EVENT = AUDIT_COLUMNS.index("event")
_DETAIL = AUDIT_COLUMNS.index("detail")
_NOTEBOOK = AUDIT_COLUMNS.index("notebook_id")
_PREVIOUS = AUDIT_COLUMNS.index("previous_hash")
_HASH = AUDIT_COLUMNS.index("hash")


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """Where a chain ends according to what is kept beside it."""

    count: int
    head: str


@dataclass(slots=True)
class Walk:
    """One verification, fed chain by chain; the ledger-wide chain goes first, for it vouches for the others."""

    known_head: str | None = None
    notebooks: AbstractSet[str] | None = None
    """Whose sessions are to be there; None: every one that the ledger-wide chain names."""
    checked: int = 0
    heads: dict[str, str] = field(default_factory=dict)
    failure: VerifyResult | None = None
    take: Callable[[AuditRow], None] | None = None
    """Called with each record of a session's chain that was found intact."""
    _vouched: dict[str, dict[int, str]] = field(default_factory=dict)
    """By session, which hash the ledger-wide chain says a record has."""
    _seen_head: bool = False

    def chain(self, name: str, rows: Iterable[AuditRow], end: ChainEnd | None) -> bool:
        """Walk one chain, its records in order of ``seq``; False when it is broken, and the walk is over."""
        if end is None:
            return self._fail(name, 1, f"The records of {_called(name)} belong to nothing: it was never opened.")
        vouched = self._vouched.get(name, {})
        previous, seq, take = START, 0, self.take
        for row in self._readable(name, rows):
            seq += 1
            if row[_SEQ] != seq:
                return self._fail(name, seq, *_or_damaged(name, seq, row, _wrong_seq(name, seq, row[_SEQ])))
            if row[_PREVIOUS] != previous:
                problem = f"Record {seq} of {_called(name)} does not follow the record before it."
                return self._fail(name, seq, *_or_damaged(name, seq, row, problem))
            previous = row[_HASH]
            if not _is_intact(row):
                problem = f"Record {seq} of {_called(name)} was changed after it was written."
                return self._fail(name, seq, *_or_damaged(name, seq, row, problem))
            if seq in vouched and vouched[seq] != previous:
                return self._fail(
                    name, seq, f"Record {seq} of {_called(name)} is not the one that the ledger's own chain names."
                )
            if previous == self.known_head:
                self._seen_head = True
            if name == LEDGER_CHAIN:
                self._vouch(row)
            if take is not None:
                take(row)
            self.checked += 1
        return self.failure is None and self._ends(name, seq, previous, end)

    def _ends(self, name: str, seq: int, head: str, end: ChainEnd) -> bool:
        if damaged("chains", (name, end.count, end.head)):
            problem = f"What is kept of the end of {_called(name)} (head, count) is damaged."
            return self._fail(name, seq, problem, DAMAGED, "chains")
        last_vouched = max(self._vouched.get(name, {}), default=0)
        if seq < max(end.count, last_vouched):
            return self._fail(
                name, seq + 1, f"Record {seq + 1} of {_called(name)} is missing, with all that followed it."
            )
        if seq > end.count or head != end.head:
            return self._fail(name, seq, f"Record {seq} of {_called(name)} is not the last one that was written.")
        self.heads[name] = head
        return True

    def glance(self, rows: Iterable[AuditRow], ends: Mapping[str, ChainEnd]) -> bool:
        """Whether these chains are right, all records of which come in the order in which they were written.

        They lie on the disk in that order, so this is quicker than chain by chain. Where something is not right it is
        left to `chain` to say what, and this has changed nothing (but what `take` did).
        """
        at: dict[str, tuple[int, str]] = {}
        at_start, vouched, known_head, checked, seen_head = (0, START), self._vouched, self.known_head, 0, False
        take = self.take or _ignore
        for row in rows:
            name, seq, previous, found = row[0], row[_SEQ], row[_PREVIOUS], row[_HASH]
            before, head = at.get(name, at_start)
            if seq != before + 1 or previous != head or digest(row[:_HASH]) != found:
                return False
            if name in vouched and vouched[name].get(seq, found) != found:
                return False
            if found == known_head:
                seen_head = True
            at[name] = (seq, found)
            checked += 1
            take(row)
        for name, (seq, head) in at.items():
            if ends.get(name) != ChainEnd(seq, head) or max(vouched.get(name, ()), default=0) > seq:
                return False
        self.checked += checked
        self.heads.update((name, at[name][1]) for name in sorted(at))
        self._seen_head = self._seen_head or seen_head
        return True

    def result(self, walked_all: bool) -> VerifyResult:
        """What was found; with ``walked_all``, every session that the ledger-wide chain names must have come."""
        if self.failure is None and walked_all:
            for session in self._vouched:
                if session not in self.heads:
                    self._fail(session, 1, f"{_called(session).capitalize()} is missing with all its records.")
                    break
        if self.failure is None and self.known_head is not None and not self._seen_head:
            where = "any chain" if walked_all else "this chain"
            problem = f"No record of {where} has the known head {self.known_head}."
            finding = Finding(HEAD_UNKNOWN, problem)
            self.failure = VerifyResult(False, self.checked, dict(self.heads), problem, findings=(finding,))
        return self.failure or VerifyResult(True, self.checked, dict(self.heads))

    def _vouch(self, row: AuditRow) -> None:
        if row[_EVENT] in ("open", "close") and (self.notebooks is None or row[_NOTEBOOK] in self.notebooks):
            try:
                detail = json.loads(row[_DETAIL])
                self._vouched.setdefault(detail["session"], {})[detail["count"]] = detail["head"]
            except (KeyError, TypeError, ValueError):
                # Nothing that this package wrote, whatever its hash; it vouches for nothing.
                return

    def _readable(self, name: str, rows: Iterable[AuditRow]) -> Iterator[AuditRow]:
        """The rows, up to one that cannot be read."""
        read = 0
        try:
            for row in rows:
                read += 1
                yield row
        except UnreadableError as error:
            self._fail(name, read + 1, f"Record {read + 1} of {_called(name)} cannot be read: {error}.", DAMAGED)

    def _fail(self, name: str, seq: int, problem: str, code: str = CHAIN_BROKEN, table: str = "audit") -> bool:
        finding = Finding(code, problem, table, name, seq)
        self.failure = VerifyResult(False, self.checked, dict(self.heads), problem, name, seq, (finding,))
        return False


def _is_intact(row: AuditRow) -> bool:
    try:
        return bool(digest(row[:_HASH]) == row[_HASH])
    except (TypeError, ValueError):
        # Bytes, or text that is not valid: nothing that was ever hashed.
        return False


def _or_damaged(name: str, seq: int, row: AuditRow, problem: str) -> tuple[str, str]:
    wrong = damaged("audit", row)
    if wrong:
        return f"Record {seq} of {_called(name)} is damaged: {', '.join(wrong)} cannot be read.", DAMAGED
    return problem, CHAIN_BROKEN


def _ignore(row: AuditRow) -> None:
    """Nothing is compared with the record."""


def _called(chain: str) -> str:
    return "the ledger's own chain" if chain == LEDGER_CHAIN else f"session {chain}"


def _wrong_seq(name: str, expected: int, found: int) -> str:
    if found > expected:
        return f"Record {expected} of {_called(name)} is missing."
    return f"Record {found} of {_called(name)} is there twice."
