"""Walks over hash chains: pure, over whatever rows a backend reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from .base import VerifyResult
from .chain import AUDIT_COLUMNS, LEDGER_CHAIN, START, AuditRow, digest

__all__ = ["ChainEnd", "Walk", "walk_all"]

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
    _vouched: dict[str, dict[int, str]] = field(default_factory=dict)
    """By session, which hash the ledger-wide chain says a record has."""
    _seen_head: bool = False

    def chain(self, name: str, rows: Iterable[AuditRow], end: ChainEnd | None) -> bool:
        """Walk one chain, its records in order of ``seq``; False when it is broken, and the walk is over."""
        if end is None:
            return self._fail(name, 1, f"The records of {_called(name)} belong to nothing: it was never opened.")
        vouched = self._vouched.get(name, {})
        previous, seq = START, 0
        for row in rows:
            seq += 1
            if row[_SEQ] != seq:
                return self._fail(name, seq, _wrong_seq(name, seq, row[_SEQ]))
            if row[_PREVIOUS] != previous:
                return self._fail(name, seq, f"Record {seq} of {_called(name)} does not follow the record before it.")
            previous = row[_HASH]
            if digest(row[:_HASH]) != previous:
                return self._fail(name, seq, f"Record {seq} of {_called(name)} was changed after it was written.")
            if seq in vouched and vouched[seq] != previous:
                return self._fail(
                    name, seq, f"Record {seq} of {_called(name)} is not the one that the ledger's own chain names."
                )
            if previous == self.known_head:
                self._seen_head = True
            if name == LEDGER_CHAIN:
                self._vouch(row)
            self.checked += 1
        last_vouched = max(vouched, default=0)
        if seq < max(end.count, last_vouched):
            return self._fail(
                name, seq + 1, f"Record {seq + 1} of {_called(name)} is missing, with all that followed it."
            )
        if seq > end.count or previous != end.head:
            return self._fail(name, seq, f"Record {seq} of {_called(name)} is not the last one that was written.")
        self.heads[name] = previous
        return True

    def glance(self, rows: Iterable[AuditRow], ends: Mapping[str, ChainEnd]) -> bool:
        """Whether these chains are right, all records of which come in the order in which they were written.

        They lie on the disk in that order, so this is quicker than chain by chain. Where something is not right it is
        left to `chain` to say what, and this has changed nothing.
        """
        at: dict[str, tuple[int, str]] = {}
        at_start, vouched, known_head, checked, seen_head = (0, START), self._vouched, self.known_head, 0, False
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
            self.failure = VerifyResult(
                False, self.checked, dict(self.heads), f"No record of {where} has the known head {self.known_head}."
            )
        return self.failure or VerifyResult(True, self.checked, dict(self.heads))

    def _vouch(self, row: AuditRow) -> None:
        if row[_EVENT] in ("open", "close") and (self.notebooks is None or row[_NOTEBOOK] in self.notebooks):
            detail = json.loads(row[_DETAIL])
            self._vouched.setdefault(detail["session"], {})[detail["count"]] = detail["head"]

    def _fail(self, name: str, seq: int, problem: str) -> bool:
        self.failure = VerifyResult(False, self.checked, dict(self.heads), problem, name, seq)
        return False


def _called(chain: str) -> str:
    return "the ledger's own chain" if chain == LEDGER_CHAIN else f"session {chain}"


def _wrong_seq(name: str, expected: int, found: int) -> str:
    if found > expected:
        return f"Record {expected} of {_called(name)} is missing."
    return f"Record {found} of {_called(name)} is there twice."


def walk_all(
    walk: Walk,
    ledger: Iterable[AuditRow],
    sessions: Iterable[AuditRow],
    ends: Mapping[str, ChainEnd],
    as_written: Iterable[AuditRow] | None = None,
) -> VerifyResult:
    """Walk the ledger-wide chain and then those of the sessions, whose records come chain by chain.

    ``ends`` has the ends of all that are to be walked. ``as_written`` has the sessions' records once more, in the order
    in which they were written, where they can be had so: mostly nothing more is read then.
    """
    if not walk.chain(LEDGER_CHAIN, ledger, ends.get(LEDGER_CHAIN)):
        return walk.result(walked_all=True)
    if as_written is None or not walk.glance(as_written, ends):
        for name, rows in groupby(sessions, key=itemgetter(0)):
            if not walk.chain(name, rows, ends.get(name)):
                return walk.result(walked_all=True)
    for name, end in ends.items():
        if name not in walk.heads and not walk.chain(name, (), end):
            break
    return walk.result(walked_all=True)
