"""The figures that the records amount to: charges, and the balances of all envelopes that they count in."""

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
from .findings import DIFFERS, MALFORMED, Findings
from .pending import Pending
from .standing import Entry, Session, Standing

__all__ = ["DAY", "Figures", "Rule"]

DAY: Final = 24 * 3600 * MICROS
_CHAIN, _SEQ, _EVENT, _CHARGE, _DETAIL, _SPENT, _HELD = (
    AUDIT_COLUMNS.index(name) for name in ("chain", "seq", "event", "charge_id", "detail", "spent_delta", "held_delta")
)
_ENVELOPES, _MADE_AT = (columns[ChargeRow].index(name) for name in ("envelopes", "at"))

Rule = Callable[["Figures", Session, Entry], None]
"""What one kind of record says about the ledger's rows."""


class Figures:
    """What all records together say; each is taken in the order of its chain."""

    def __init__(
        self,
        evidence: Evidence,
        standing: Standing,
        findings: Findings,
        rules: Mapping[str, Rule],
        agreements: Agreements,
        *,
        careful: bool = False,
    ) -> None:
        self.standing = standing
        self.findings = findings
        self.agreements = agreements
        self.pending = Pending(evidence, findings)
        self.sums: dict[tuple[str, int], list[int]] = {}
        """By the envelopes and the day of a charge: what was spent and held, and how many charges there were."""
        self._rules = rules
        self._careful = careful
        """Whether each row is looked at here, also where the database finds it right."""
        self._held: set[str] = set()
        """Holds whose rows say that they were settled or released, which a record is still to say."""

    def take(self, row: Sequence[Any]) -> None:
        """One record of a session's chain, which was found intact, with what was read beside it."""
        session = self.standing.sessions.get(row[_CHAIN])
        if session is None:
            return
        plain = row[PLAIN]
        # A detail may say when a hold ends, that an approval was used or a cost estimated; mostly there is none.
        more = row[_DETAIL] != "{}" and _says_more(row[_DETAIL])
        if more or not plain or self._careful:
            self._take(session, row)
            return
        charge_id, held = row[_CHARGE], self._held
        if plain == HELD_PLAINLY:
            held.add(charge_id)
        elif plain == SETTLED_PLAINLY:
            if charge_id not in held:
                self._take(session, row)
                return
            held.remove(charge_id)
        envelopes, category, day = row[CHARGED_TO], row[CHARGED_IN], row[CHARGED_AT] // DAY
        last = session.last
        if last is None or category is not None or last[0] != day or last[1] != envelopes:
            if plain != SETTLED_PLAINLY:
                self.check_envelopes(session, charge_id, envelopes, category, Entry(row).detail)
            last = (day, envelopes, self._sums_of(envelopes, day))
            # Of a category each record is looked at.
            session.last = last if category is None and plain != SETTLED_PLAINLY else None
        sums = last[2]
        sums[0] += row[_SPENT]
        sums[1] += row[_HELD]
        if plain != SETTLED_PLAINLY:
            sums[2] += 1
            session.charges += 1

    def _take(self, session: Session, row: Sequence[Any]) -> None:
        # From here on the slower way looks after it.
        self._held.discard(row[_CHARGE])
        rule = self._rules.get(row[_EVENT])
        if rule is not None:
            try:
                rule(self, session, Entry(row))
            except MALFORMED:
                self.findings.malformed(row[_CHAIN], row[_SEQ])

    def count(self, envelopes: str, at: int, spent: int, held: int, charges: int) -> None:
        """Add to what counts in these envelopes, in the period of ``at``."""
        sums = self._sums_of(envelopes, at // DAY)
        sums[0] += spent
        sums[1] += held
        sums[2] += charges

    def _sums_of(self, envelopes: str, day: int) -> list[int]:
        return self.sums.setdefault((envelopes, day), [0, 0, 0])

    def recount(self, charge_id: str, spent: int, held: int) -> None:
        """Add these amounts to the expected figures of the envelopes that an earlier charge counts in."""
        row = self.pending.row(ChargeRow, charge_id)
        if row is not None and isinstance(row[_ENVELOPES], str) and isinstance(row[_MADE_AT], int):
            self.count(row[_ENVELOPES], row[_MADE_AT], spent, held, 0)

    def check_envelopes(
        self, session: Session, charge_id: str, envelopes: str, category: str | None, detail: Mapping[str, Any] | None
    ) -> None:
        """Whether a charge counts where its session and its category say; ``detail`` is that of its first record."""
        row = self.pending.row(ChargeRow, charge_id) if (envelopes, category) not in session.known else ()
        if row is not None and damaged(ChargeRow.TABLE, row):
            # Which is a finding already, or will be.
            return
        if category is not None and detail is not None and detail.get("category") != category:
            self.findings.differs(ChargeRow, (charge_id,), "category", detail.get("category"), category)
            return
        if (envelopes, category) in session.known or self.standing.is_vague(session):
            return
        own = "" if session.envelope_id is None else session.envelope_id
        if category is not None:
            own = f"{category_id(session.id, category)} {own}" if category in session.categories else ""
        if envelopes in {f"{own} {outer}".rstrip() for outer in session.outers}:
            session.known.add((envelopes, category))
            return
        self.findings.add(
            DIFFERS,
            ChargeRow.TABLE,
            charge_id,
            f"envelopes of charges {charge_id} are none that the records put around its session.",
        )

    def made_ids(self, kind: type[Row], rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, str]]:
        """The sessions and ids of all rows of a table that these records made."""
        for row in rows:
            id = _made(kind, Entry(row))
            if id is not None:
                yield row[_CHAIN], id

    def finish(self) -> None:
        """All records were seen."""
        self.pending.finish()
        for charge_id in sorted(self._held):
            self.findings.add(
                DIFFERS,
                ChargeRow.TABLE,
                charge_id,
                f"state of charges {charge_id} says that it was resolved, and no record does.",
            )


def _made(kind: type[Row], entry: Entry) -> str | None:
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


def _says_more(detail: str) -> bool:
    return '"until"' in detail or '"approval' in detail or '"estimated"' in detail
