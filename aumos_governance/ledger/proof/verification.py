"""The course of a verification: verify the hashes of the audit records, and compare the tables with the records.

A verification is first attempted with quick methods, which find out only that there is a problem. If there is one, a
second, slower attempt finds out which record or row is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from ...errors import NotFoundError
from ..contract.audit_facts import Finding, VerifyResult
from ..rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN, AuditRow
from ..rules.files import lies_in
from ..transaction.rows import ChainRow, NotebookAliasRow, NotebookRow, ResponseRow, SessionRow
from ..transaction.tables import ROWS, columns
from .agreements import Agreements
from .damage import DAMAGED, UnreadableError
from .evidence import Evidence, Scope
from .findings import MALFORMED, Findings
from .ledger_replay import Entry, LedgerReplay
from .responses import compare_responses
from .rules import RULES
from .session_replay import SessionReplay
from .tables import Tables
from .walk import Walk

_EVENT, _SEQ = (AUDIT_COLUMNS.index(name) for name in ("event", "seq"))
_AGREEMENTS: Final = ("trust", "consent", "revoke")
_ENVELOPE, _NOTEBOOK = (columns[SessionRow].index(name) for name in ("envelope_id", "notebook_id"))
_FILE: Final = columns[NotebookRow].index("file")


def verify(evidence: Evidence, scope: Scope, known_head: str | None) -> VerifyResult:
    """Verify the hash chains and tables of a ledger, and return the result with all findings.

    ``known_head`` is a hash that the user kept from an earlier verification, or None. If no record has this hash, that
    is a finding.

    Raises NotFoundError if the scope is a session that does not exist.
    """
    broken = [Finding(DAMAGED, f"The database's own check finds: {problem}.") for problem in evidence.damage()]
    try:
        result = _Proof(evidence, scope, known_head).run(quick=True)
    except UnreadableError:
        result = None
    if result is None:
        # Verify once more, with the slower methods that find out what is wrong.
        with evidence.salvaging():
            result = _verify_slowly(evidence, scope, known_head)
    if broken or result.damaged:
        named = {finding.table for finding in result.findings if finding.code == DAMAGED}
        findings = (*result.findings, *(found for found in _unreadable(evidence) if found.table not in named), *broken)
        result = replace(result, ok=False, findings=findings, problem=findings[0].problem)
    return result


def _verify_slowly(evidence: Evidence, scope: Scope, known_head: str | None) -> VerifyResult:
    try:
        found = _Proof(evidence, scope, known_head).run(quick=False)
    except UnreadableError as error:
        problem = f"The ledger cannot be read: {error}."
        return VerifyResult(False, 0, {}, problem, findings=(Finding(DAMAGED, problem),))
    assert found is not None
    return found


def _unreadable(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for each table that cannot be read to its end."""
    for kind in (*ROWS, None):
        table = "audit" if kind is None else kind.TABLE
        try:
            for _ in evidence.records() if kind is None else evidence.rows(kind):
                pass
        except UnreadableError as error:
            yield Finding(DAMAGED, f"The table {table} cannot be read: {error}.", table)


class _Proof:
    """One attempt at a verification, quick or slow; a second attempt needs a new object."""

    def __init__(self, evidence: Evidence, scope: Scope, known_head: str | None) -> None:
        self._evidence = evidence
        self._scope = scope
        self._known_head = known_head
        self._findings = Findings()
        self._agreements = Agreements()
        rows = evidence.rows(NotebookRow)
        notebooks = {row[0]: NotebookRow(*row) for row in rows if _is_text((*row[:3], row[_FILE]))}
        servers = {id: (notebook.owner, notebook.root) for id, notebook in notebooks.items()}
        self._ledger_replay = LedgerReplay(servers)
        self._ends = dict(evidence.ends())
        self._own: set[str] | None = None
        if scope.under is not None:
            # The records of a notebook that was joined to another still name the joined notebook.
            pairs = (row[:2] for row in evidence.rows(NotebookAliasRow))
            aliases = dict(pair for pair in pairs if _is_text(pair))
            self._own = {
                id for id in notebooks if lies_in(notebooks.get(aliases.get(id, id), notebooks[id]), *scope.under)
            }
            sessions = {row[0] for row in evidence.rows(SessionRow) if row[_NOTEBOOK] in self._own}
            own = {LEDGER_CHAIN, *sessions}
            self._ends = {name: end for name, end in self._ends.items() if name in own}

    def run(self, *, quick: bool) -> VerifyResult | None:
        """Return the result of the attempt, or None if it was quick and found a broken chain.

        A quick attempt does not find out which record is broken; then the caller makes a slow attempt.
        """
        if self._scope.session_id is not None:
            return self._run_one(self._scope.session_id, quick=quick)
        walk = Walk(self._known_head, self._own)
        walk.on_record = self._replay_ledger_record
        if not walk.chain(LEDGER_CHAIN, self._evidence.ledger_records(), self._ends.get(LEDGER_CHAIN)):
            return None if quick else _broken(walk)
        replay = self._prepared(quick=quick)
        walk.on_record = replay.replay_record
        if not self._walk(walk, quick=quick):
            return None if quick else _broken(walk)
        result = walk.result(walked_all=True)
        if result.chain is not None:
            return None if quick else _broken(walk)
        return self._compared(result, replay)

    def _run_one(self, session_id: str, *, quick: bool) -> VerifyResult:
        end = self._ends.get(session_id)
        if end is None:
            raise NotFoundError(f"There is no session {session_id!r}.")
        ledger_walk, walk = Walk(), Walk(self._known_head)
        ledger_walk.on_record = self._replay_ledger_record
        ledger_intact = ledger_walk.chain(LEDGER_CHAIN, self._evidence.ledger_records(), self._ends.get(LEDGER_CHAIN))
        replay = self._prepared(quick=quick)
        walk.on_record = replay.replay_record
        walk.chain(session_id, self._evidence.session_records(), end)
        result = walk.result(walked_all=False)
        if result.chain is not None:
            return _broken(walk)
        if not ledger_intact:
            return replace(
                result,
                covered={"audit": result.checked},
                not_covered=("The tables: the ledger's own chain is broken.",),
            )
        return self._compared(result, replay)

    def _walk(self, walk: Walk, *, quick: bool) -> bool:
        if quick:
            as_written = self._evidence.records_as_written()
            if as_written is not None:
                return walk.walk_as_written(as_written, self._ends) and self._walk_empty(walk)
        for name, rows in groupby(self._evidence.session_records(), key=itemgetter(0)):
            if not walk.chain(name, rows, self._ends.get(name)):
                return False
        return self._walk_empty(walk)

    def _walk_empty(self, walk: Walk) -> bool:
        return all(name in walk.heads or walk.chain(name, (), end) for name, end in self._ends.items())

    # ---- the replay of the records, and the comparison with it

    def _replay_ledger_record(self, row: AuditRow) -> None:
        try:
            self._ledger_replay.replay_record(row)
            if self._scope.everything and row[_EVENT] in _AGREEMENTS:
                self._agreements.replay_record(Entry(row), None)
        except MALFORMED:
            self._findings.malformed(row[0], row[_SEQ])

    def _prepared(self, *, quick: bool) -> SessionReplay:
        """Return a new object to replay sessions' records; call this after the replay of the ledger-wide chain.

        Before that, note in each session the id of its own envelope, which is in the session's row but in no record.
        """
        for row in self._evidence.rows(SessionRow):
            session = self._ledger_replay.sessions.get(row[0])
            if session is not None and isinstance(row[_ENVELOPE], str):
                session.envelope_id = row[_ENVELOPE]
        evidence, ledger_replay = self._evidence, self._ledger_replay
        return SessionReplay(evidence, ledger_replay, self._findings, RULES, self._agreements, careful=not quick)

    def _compared(self, result: VerifyResult, replay: SessionReplay) -> VerifyResult:
        findings, scope = self._findings, self._scope
        walked = {scope.session_id} if scope.session_id is not None else set(self._ends) - {LEDGER_CHAIN}
        tables = Tables(self._evidence, self._ledger_replay, replay, findings, scope, walked)
        tables.compare()
        covered = {"audit": result.checked, **{name: count for name, count in tables.covered.items() if count}}
        if scope.everything:
            self._check_chains()
            covered[ChainRow.TABLE] = len(self._ends)
            if responses := compare_responses(self._evidence, findings, self._ledger_replay.aliases):
                covered[ResponseRow.TABLE] = responses
        listed = (*result.findings, *findings.listed)
        return replace(
            result,
            ok=not listed,
            problem=listed[0].problem if listed else None,
            findings=listed,
            unlisted=findings.unlisted,
            covered=covered,
            not_covered=self._uncovered(walked),
        )

    def _check_chains(self) -> None:
        for name in self._ends:
            if name != LEDGER_CHAIN and name not in self._ledger_replay.sessions:
                self._findings.unknown(ChainRow, (name,))

    def _uncovered(self, walked: set[str]) -> tuple[str, ...]:
        """Return what this verification did not cover, as sentences for the user.

        ``walked`` has the ids of the sessions whose records were replayed.
        """
        found = []
        if self._scope.session_id is not None:
            found.append(
                "All other sessions, the ceilings around this one, and stored responses: verify the whole ledger."
            )
        elif self._scope.under is not None:
            found.append("Shared ceilings, other owners' sessions, and stored responses.")
        sessions = [session for id, session in self._ledger_replay.sessions.items() if id in walked]
        if any(not session.complete for session in sessions):
            found.append(
                "Whether a user set the level and budget, when holds end, and which approvals were used, in sessions"
                " that an earlier version opened."
            )
        if any(self._ledger_replay.is_vague(session) for session in sessions):
            found.append("The ceilings around sessions that an earlier version opened in notebooks that were joined.")
        if self._agreements.uncovered:
            found.append("Levels and consents that an earlier version recorded without their realm.")
        return tuple(found)


def _broken(walk: Walk) -> VerifyResult:
    """Return the result of a walk that found a broken record."""
    assert walk.failure is not None
    return replace(
        walk.failure,
        covered={"audit": walk.checked},
        not_covered=("The tables: a record that proves them is broken.",),
    )


def _is_text(values: Sequence[Any]) -> bool:
    return all(isinstance(value, str) for value in values)
