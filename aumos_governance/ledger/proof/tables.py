"""The last step of a verification: compare each table with the rows that were derived from all records.

Charges, approvals, reports, corrections and estimates were compared during the replay of their records. Of these
tables, only the number of rows is compared here, to find rows that no record created.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ..contract.budgets import EnvelopeKind
from ..operations.balances import category_id, period_start
from ..transaction.rows import (
    ApprovalRow,
    BalanceRow,
    CeilingRow,
    ChargeRow,
    ConfigurationRow,
    ConsentRow,
    CorrectionRow,
    EnvelopeRow,
    EstimateRow,
    GatewayKeyRow,
    MembershipRow,
    NotebookAliasRow,
    NotebookRow,
    ReportRow,
    SessionRow,
    TrustRow,
)
from ..transaction.tables import Key, Row, columns
from .damage import DAMAGED, UnreadableError
from .evidence import Evidence, Scope
from .expected_rows import ANY, Columns
from .findings import Findings
from .ledger_replay import LedgerReplay, Session, configuration
from .session_replay import DAY, SessionReplay

_SHARED: Final = (EnvelopeKind.OWNER.value, EnvelopeKind.TEAM.value)
_SESSION_ID: Final = {kind: columns[kind].index("session_id") for kind in (ApprovalRow, ReportRow)}
_FIGURES: Final = tuple(columns[BalanceRow].index(name) for name in ("spent", "held", "charges"))


@dataclass(slots=True)
class Tables:
    """The comparison of all tables in one verification, after the replay.

    ``walked`` has the ids of the sessions whose records were replayed; rows of other sessions are not compared.
    """

    evidence: Evidence
    ledger_replay: LedgerReplay
    session_replay: SessionReplay
    findings: Findings
    scope: Scope
    walked: set[str]
    covered: Counter[str] = field(default_factory=Counter)
    """By the table's name: how many rows agree with the records."""

    def compare(self) -> None:
        """Compare all tables with the rows that the records require, and add each difference to the findings."""
        self.session_replay.finish()
        self.ledger_replay.finish()
        for kind in (ChargeRow, ApprovalRow, ReportRow, CorrectionRow, EstimateRow):
            self.covered[kind.TABLE] += self.session_replay.expected.agreeing[kind]
        self.covered[ChargeRow.TABLE] += sum(session.charges for session in self.ledger_replay.sessions.values())
        sessions = [session for id, session in self.ledger_replay.sessions.items() if id in self.walked]
        envelopes = self._envelopes(sessions)
        balances = self._balances(sessions, envelopes)
        expected = {(session.id,): _session(session) for session in sessions}
        for session in filter(self.ledger_replay.is_vague, sessions):
            expected[session.id,]["outer_envelopes"] = ANY
        self._whole(SessionRow, expected, {})
        self._whole(NotebookRow, self._notebooks(sessions, balances), dict.fromkeys((id,) for id in self._named()))
        if self.scope.everything:
            aliases = self.ledger_replay.aliases
            self._whole(NotebookAliasRow, {(id,): {"notebook_id": into} for id, into in aliases.items()}, {})
            self._whole(GatewayKeyRow, self.ledger_replay.keys.rows(), {})
        self._whole(EnvelopeRow, {(id,): values for id, values in envelopes.items()}, {})
        self._whole(BalanceRow, balances, {})
        self._configurations()
        self._whole(CeilingRow, self.ledger_replay.shared.rows(), {})
        self._whole(MembershipRow, self.ledger_replay.shared.member_rows(), {})
        self._agreements()
        self._counts()

    # ---- small tables, all rows of which are known from the records

    def _whole(self, kind: type[Row], expected: dict[Key, Columns], also: dict[tuple[Any, ...], None]) -> None:
        """Compare all rows of the table of ``kind`` with the expected rows, and add a finding for each difference.

        ``expected`` has, by primary key, the values that each row must have. ``also`` has the primary keys of further
        rows that must exist, with any values.
        """
        left, width = dict(expected), len(kind.KEY)
        for row in self._rows(kind):
            key = row[:width]
            values, named = left.pop(key, None), key in also
            also.pop(key, None)
            if values is None:
                if not self.scope.everything or not self.findings.check(kind, key, row):
                    continue
                if not named and not self._needs_no_record(kind, row):
                    self.findings.unknown(kind, key)
                continue
            if not self.findings.check(kind, key, row):
                continue
            good = True
            for name, found in zip(columns[kind], row, strict=False):
                value = values.get(name, ANY)
                if value is ANY or value == found or (isinstance(value, frozenset) and found in value):
                    continue
                good = False
                self.findings.differs(kind, key, name, value, found)
            self.covered[kind.TABLE] += good
        for key in [*left, *also]:
            self.findings.missing(kind, key)

    def _needs_no_record(self, kind: type[Row], row: tuple[Any, ...]) -> bool:
        """Whether the ledger writes such a row without an audit record, so that no finding must be added for it."""
        if kind is MembershipRow:
            # An owner without shared ceilings has a row, but no record.
            return bool(row[1] == "[]")
        return kind is BalanceRow and row[0] in self.ledger_replay.emptied and not any(row[place] for place in _FIGURES)

    def _named(self) -> set[str]:
        return self.ledger_replay.notebooks if self.scope.everything else set()

    def _notebooks(self, sessions: list[Session], balances: dict[Key, Columns]) -> dict[Key, Columns]:
        expected: dict[Key, Columns] = {}
        if self.scope.session_id is not None:
            return expected
        of = {session.notebook_id for session in sessions}
        for id in (of | self._named()) - self.ledger_replay.joined:
            closings = self.ledger_replay.closings.get(id, [])
            closed = [self.ledger_replay.sessions[session] for session, _ in closings]
            sums = [balances.get((session.envelope_id, 0)) for session in closed]
            expected[id,] = {
                "session_id": self.ledger_replay.newest.get(id),
                "closed_sessions": len(closed),
                # Of a session whose row is missing, the envelope is not known.
                "closed_spent": ANY if None in sums else sum(each["spent"] for each in sums if each is not None),
                "closed_budget": closed[-1].ceiling if closed else 0,
                "closed_at": closings[-1][1] if closings else None,
            }
        if self.scope.everything:
            # The sums of a joined notebook were moved to the notebook that it was joined to.
            nothing: Columns = {
                **dict.fromkeys(("session_id", "closed_at")),
                **dict.fromkeys(("closed_sessions", "closed_spent", "closed_budget"), 0),
            }
            expected.update({(id,): dict(nothing) for id in self.ledger_replay.joined})
        for session in sessions:
            owner = self.ledger_replay.owner_of(session)
            if owner is not None:
                expected[session.notebook_id,]["owner"] = owner
        return expected

    def _envelopes(self, sessions: list[Session]) -> dict[str, Columns]:
        expected: dict[str, Columns] = {}
        for session in sessions:
            if session.envelope_id is not None:
                expected[session.envelope_id] = _envelope("session", "budget", "lifetime", session.ceiling, session.id)
            for name, (period, ceiling) in session.categories.items():
                expected[category_id(session.id, name)] = _envelope("category", name, period, ceiling, session.id)
        if self.scope.session_id is None:
            around = {id for session in sessions for outer in session.outers for id in outer.split()}
            around |= self.ledger_replay.emptied | self.ledger_replay.shared.all_envelopes
            for id, made in self.ledger_replay.envelopes.items():
                if id in around:
                    ceilings = frozenset(made.ceilings) if len(made.ceilings) != 1 else next(iter(made.ceilings))
                    expected[id] = _envelope(made.kind, made.name, made.period, ceilings, made.subject)
        return expected

    def _balances(self, sessions: list[Session], envelopes: dict[str, Columns]) -> dict[Key, Columns]:
        expected: dict[Key, Columns] = {
            (session.envelope_id, 0): {"spent": 0, "held": 0, "charges": 0}
            for session in sessions
            if session.envelope_id is not None
        }
        for (ids, day), (spent, held, charges) in self.session_replay.sums.items():
            if not isinstance(ids, str):
                # The row of the charge is damaged, which is reported elsewhere.
                continue
            for id in ids.split():
                envelope = envelopes.get(id)
                if envelope is None or (not self.scope.everything and envelope["kind"] in _SHARED):
                    # The balance includes charges outside the scope as well.
                    continue
                key = (id, period_start(envelope["period"], day * DAY))
                sums = expected.setdefault(key, {"spent": 0, "held": 0, "charges": 0})
                sums["spent"] += spent
                sums["held"] += held
                sums["charges"] += charges
        return expected

    def _configurations(self) -> None:
        left = dict(self.ledger_replay.configurations)
        for row in self._rows(ConfigurationRow):
            key = row[:2]
            recorded = left.pop(key, None)
            if not self.findings.check(ConfigurationRow, [str(part) for part in key], row):
                continue
            expected = configuration(recorded or ())
            if recorded is None and row[2] == expected:
                # A server without configured ceilings has a row, but no record.
                continue
            if row[2] != expected:
                try:
                    json.loads(row[2])
                except ValueError:
                    self.findings.add(
                        DAMAGED,
                        ConfigurationRow.TABLE,
                        " ".join(key),
                        f"envelopes of {ConfigurationRow.TABLE} {' '.join(key)} is not valid JSON.",
                    )
                else:
                    self.findings.differs(ConfigurationRow, key, "envelopes", expected, row[2])
            else:
                self.covered[ConfigurationRow.TABLE] += 1
        for key in left:
            self.findings.missing(ConfigurationRow, key)

    def _agreements(self) -> None:
        for kind in (TrustRow, ConsentRow):
            for row in self._rows(kind):
                good = self.session_replay.agreements.compare(kind, row, self.scope.everything, self.findings)
                self.covered[kind.TABLE] += good
        self.session_replay.agreements.finish(self.findings)

    # ---- rows that were compared record by record: here only rows that no record created are searched for

    def _counts(self) -> None:
        self._excess(ChargeRow, Counter(dict(self.evidence.charge_counts())))
        for kind in (ApprovalRow, ReportRow):
            found: Counter[str] = Counter()
            for row in self._rows(kind):
                if self.findings.check(kind, (str(row[0]),), row):
                    found[row[_SESSION_ID[kind]]] += 1
            self._excess(kind, found)
        if self.scope.everything:
            for single in (CorrectionRow, EstimateRow):
                rows = sum(1 for _ in self._rows(single))
                if rows > self.session_replay.expected.made[single, ""]:
                    self._name_excess(single, None)

    def _excess(self, kind: type[Row], found: Counter[str]) -> None:
        for session_id, count in found.items():
            if session_id in self.walked:
                made = self.session_replay.expected.made[kind, session_id]
                if kind is ChargeRow:
                    made += self.ledger_replay.sessions[session_id].charges
                excess = count > made
            else:
                excess = self.scope.everything
            if excess:
                self._name_excess(kind, session_id)

    def _name_excess(self, kind: type[Row], session_id: str | None) -> None:
        made = {
            id
            for of, id in self.session_replay.made_ids(kind, self.evidence.session_records())
            if session_id in (None, of)
        }
        for row in self._rows(kind):
            of_session = session_id is None or row[columns[kind].index("session_id")] == session_id
            if of_session and row[0] not in made and self.findings.check(kind, row[:1], row):
                self.findings.unknown(kind, row[:1])

    def _rows(self, kind: type[Row]) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self.evidence.rows(kind)
        except UnreadableError as error:
            self.findings.add(DAMAGED, kind.TABLE, None, f"The table {kind.TABLE} cannot be read: {error}.")


def _session(session: Session) -> Columns:
    return {"notebook_id": session.notebook_id, "outer_envelopes": session.outer, **session.values}


def _envelope(kind: str, name: str, period: str, ceiling: Any, subject: str) -> Columns:
    return {"kind": kind, "name": name, "period": period, "ceiling": ceiling, "subject": subject}
