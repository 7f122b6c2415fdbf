"""The part of a verification that applies a rule to each audit record in sessions' chains, and sums up all charges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ...clock import MICROS
from ..operations.balances import category_id
from ..rules.chain import AUDIT_COLUMNS
from ..transaction.rows import ApprovalRow, ChargeRow, CorrectionRow, EstimateRow, ReportRow
from ..transaction.tables import Row, columns
from .agreements import Agreements
from .damage import damaged
from .evidence import CHARGED_AT, CHARGED_IN, CHARGED_TO, HELD_PLAINLY, PLAIN, SETTLED_PLAINLY, Evidence
from .expected_rows import ExpectedRows
from .findings import DIFFERS, MALFORMED, Findings
from .ledger_replay import Entry, LedgerReplay, Session

DAY: Final = 24 * 3600 * MICROS
_CHAIN, _SEQ, _EVENT, _CHARGE, _DETAIL, _SPENT, _HELD = (
    AUDIT_COLUMNS.index(name) for name in ("chain", "seq", "event", "charge_id", "detail", "spent_delta", "held_delta")
)
_ENVELOPES, _MADE_AT = (columns[ChargeRow].index(name) for name in ("envelopes", "at"))

Rule = Callable[["SessionReplay", Session, Entry], None]
"""A function that applies one record of a session's chain: it notes, in the replay and the session, the values that the
ledger's rows must have after this record."""


class SessionReplay:
    """The state of one verification while it goes through the records in sessions' chains.

    Most records are about charges without special terms. The database compares these records with the charges' rows
    itself (see `evidence.PLAIN`), so this class only adds up their amounts. It applies a rule to each other record.

    ``ledger_replay`` must have replayed the whole ledger-wide chain. ``rules`` has a `Rule` for each kind of record, by
    the record's field ``event``, such as ``settle``. ``agreements`` replays the records about trust levels and
    consents. With ``careful``, the rules are applied to all records, also to those that the database has compared, so
    that each difference is found with its record.
    """

    def __init__(
        self,
        evidence: Evidence,
        ledger_replay: LedgerReplay,
        findings: Findings,
        rules: Mapping[str, Rule],
        agreements: Agreements,
        *,
        careful: bool,
    ) -> None:
        self.ledger_replay = ledger_replay
        self.findings = findings
        self.agreements = agreements
        self.expected = ExpectedRows(evidence, findings)
        self.sums: dict[tuple[object, int], list[int]] = {}
        """By envelopes and day of charges: the sums spent and held in nano-USD, and the number of these charges.

        The envelopes are their ids, separated by spaces, unless the charge's row is damaged. The day is counted from
        the epoch."""
        self._rules = rules
        self._careful = careful
        self._held: set[str] = set()
        """The ids of holds that are settled or released according to their rows, and whose record of that was not
        replayed yet."""

    def replay_record(self, row: Sequence[Any]) -> None:
        """Apply one record of a session's chain, whose hash was verified.

        ``row`` is a record of `Evidence.session_records`, with the additional values after its columns.
        """
        session = self.ledger_replay.sessions.get(row[_CHAIN])
        if session is None:
            return
        plain = row[PLAIN]
        # A rule must read a detail with a hold's expiry, a used approval or an estimate; most records have no detail.
        has_terms = row[_DETAIL] != "{}" and _has_terms(row[_DETAIL])
        if has_terms or not plain or self._careful:
            self._apply_rule(session, row)
            return
        charge_id, held = row[_CHARGE], self._held
        if plain == HELD_PLAINLY:
            held.add(charge_id)
        elif plain == SETTLED_PLAINLY:
            if charge_id not in held:
                self._apply_rule(session, row)
                return
            held.remove(charge_id)
        envelopes, category, day = row[CHARGED_TO], row[CHARGED_IN], row[CHARGED_AT] // DAY
        last = session.last
        if last is None or category is not None or last[0] != day or last[1] != envelopes:
            if plain != SETTLED_PLAINLY:
                self.check_envelopes(session, charge_id, envelopes, category, Entry(row).detail)
            last = (day, envelopes, self._sums_of(envelopes, day))
            # Charges to a category, and those with wrong envelopes, are checked one by one.
            session.last = last if category is None and (envelopes, category) in session.known else None
        sums = last[2]
        sums[0] += row[_SPENT]
        sums[1] += row[_HELD]
        if plain != SETTLED_PLAINLY:
            sums[2] += 1
            session.charges += 1

    def _apply_rule(self, session: Session, row: Sequence[Any]) -> None:
        # From here on the rules check this charge.
        self._held.discard(row[_CHARGE])
        rule = self._rules.get(row[_EVENT])
        if rule is not None:
            try:
                rule(self, session, Entry(row))
            except MALFORMED:
                self.findings.malformed(row[_CHAIN], row[_SEQ])

    def count(self, envelopes: str, at: int, spent: int, held: int, charges: int) -> None:
        """Add amounts in nano-USD, and a number of charges, to the sums of these envelopes on the day of ``at``.

        ``envelopes`` are their ids, separated by spaces; ``at`` is in microseconds since the epoch.
        """
        sums = self._sums_of(envelopes, at // DAY)
        sums[0] += spent
        sums[1] += held
        sums[2] += charges

    def _sums_of(self, envelopes: str, day: int) -> list[int]:
        return self.sums.setdefault((envelopes, day), [0, 0, 0])

    def recount(self, charge_id: str, spent: int, held: int) -> None:
        """Add a later change of a charge, in nano-USD, to the sums of its envelopes on the day when it was made.

        ``spent`` and ``held`` are the changes of both amounts; a settlement, for example, has a negative ``held``.
        """
        row = self.expected.row(ChargeRow, charge_id)
        if row is not None and isinstance(row[_MADE_AT], int):
            self.count(row[_ENVELOPES], row[_MADE_AT], spent, held, 0)

    def check_envelopes(
        self, session: Session, charge_id: str, envelopes: str, category: str | None, detail: Mapping[str, Any]
    ) -> None:
        """Add a finding unless the charge's row has the right category and envelopes.

        ``envelopes`` (ids, separated by spaces) and ``category`` are the values in the charge's row. ``detail`` is the
        parsed JSON detail of the record that created the charge; it has the category, if any.
        """
        known = (envelopes, category) in session.known
        row = None if known else self.expected.row(ChargeRow, charge_id)
        if row is not None and damaged(ChargeRow.TABLE, row):
            # The damage is reported elsewhere.
            return
        if category is not None and detail.get("category") != category:
            self.findings.differs(ChargeRow, (charge_id,), "category", detail.get("category"), category)
            return
        if known:
            # Charges to a category come here one by one, so what is right is not computed for each of them.
            return
        own = session.envelope_id if category is None else f"{category_id(session.id, category)} {session.envelope_id}"
        right = {f"{own} {outer}".rstrip() for outer in session.outers}
        if envelopes in right or session.envelope_id is None or self.ledger_replay.is_vague(session):
            session.known.add((envelopes, category))
            return
        self.findings.add(
            DIFFERS,
            ChargeRow.TABLE,
            charge_id,
            f"envelopes of charges {charge_id} differ from the envelopes of its session in the records.",
        )

    def made_ids(self, kind: type[Row], rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, str]]:
        """Yield the session and the id of each row that must exist in the table of ``kind`` because of these records.

        ``rows`` are audit records; records that create no row of this table are skipped.
        """
        for row in rows:
            id = _made(kind, Entry(row))
            if id is not None:
                yield row[_CHAIN], id

    def finish(self) -> None:
        """Add a finding for each row that still differs from its records; call this after the last record."""
        self.expected.finish()
        for charge_id in sorted(self._held):
            self.findings.add(
                DIFFERS,
                ChargeRow.TABLE,
                charge_id,
                f"charges {charge_id} is settled or released, but no record settles or releases it.",
            )


def _made(kind: type[Row], entry: Entry) -> str | None:
    """Return the id of the row that a record created in the table of ``kind``, or None if it created none there."""
    if kind is EstimateRow:
        return entry.charge_id if entry.event == "settle" and entry.detail.get("estimated") else None
    if kind is ChargeRow:
        made: str | None = entry.charge_id if entry.event in ("spend", "hold") else None
        return made
    events, name = _MADE_BY[kind]
    return entry.detail.get(name) if entry.event in events else None


_MADE_BY: Final[dict[type[Row], tuple[tuple[str, ...], str]]] = {
    ApprovalRow: (("approval_requested", "ask"), "approval"),
    ReportRow: (("report",), "report"),
    CorrectionRow: (("correct",), "correction"),
}


def _has_terms(detail: str) -> bool:
    """Whether the JSON detail of a charge's record has an expiry, an approval or an estimate, which only rules read."""
    return '"until"' in detail or '"approval' in detail or '"estimated"' in detail
