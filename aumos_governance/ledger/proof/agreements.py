"""What the records say of agents' trust levels and of consents.

A level or a consent lies in a realm: that of a session, whose chain alone speaks of it, or one that several chains may
speak of. Between two chains no order is known, so the row may then be as the last record of any of them says.
"""

from __future__ import annotations

from typing import Any

from ..contract.agreements import session_realm
from ..transaction.rows import ConsentRow, TrustRow
from ..transaction.tables import Key, Row, columns
from .findings import Findings
from .pending import ANY, Columns
from .standing import Entry

__all__ = ["Agreements"]


class Agreements:
    """The last word of each chain on each row."""

    def __init__(self) -> None:
        self._recorded: dict[tuple[type[Row], Key], dict[str, Columns]] = {}
        self._unnamed: set[tuple[type[Row], Key]] = set()
        """Rows, but for their realms, of which earlier versions wrote records that do not name the realm."""

    @property
    def uncovered(self) -> bool:
        """Whether there are records that do not say which realm they are about."""
        return bool(self._unnamed)

    def take(self, entry: Entry, session_id: str | None) -> None:
        """A record of a level or a consent, in the chain of a session or in the ledger-wide one."""
        detail, kind = entry.detail, TrustRow if entry.event == "trust" else ConsentRow
        rest: Key
        if kind is TrustRow:
            rest = (entry.agent_id, detail["scope"] or "")
        else:
            rest = (entry.agent_id, detail["data_type"], detail["purpose"] or "")
        if "realm" not in detail:
            self._unnamed.add((kind, rest))
            return
        realm = detail["realm"]
        if realm is None:
            realm = session_realm(session_id or "")
        self._recorded.setdefault((kind, (realm, *rest)), {}).setdefault(entry.chain, {}).update(_values(entry))

    def compare(self, kind: type[TrustRow | ConsentRow], row: tuple[Any, ...], everything: bool, to: Findings) -> bool:
        """Compare a row with the records; False where there are none, and none are needed."""
        key = row[: len(kind.KEY)]
        if not all(isinstance(part, str) for part in key):
            return to.check(kind, [str(part) for part in key], row)
        recorded = self._recorded.pop((kind, key), None)
        if (kind, key[1:]) in self._unnamed:
            # In an order that is not known.
            return False
        if recorded is None:
            if everything:
                to.unknown(kind, key)
            return False
        if not to.check(kind, key, row):
            return True
        found = dict(zip(columns[kind], row, strict=True))
        wrong = [
            [name for name, value in expected.items() if value is not ANY and value != found[name]]
            for expected in recorded.values()
        ]
        if all(wrong):
            expected, names = list(recorded.values())[-1], wrong[-1]
            for name in names:
                to.differs(kind, key, name, expected[name], found[name])
        return True

    def finish(self, to: Findings) -> None:
        """After all rows were compared, report the records that have no row."""
        for kind, key in self._recorded:
            if (kind, key[1:]) not in self._unnamed:
                to.missing(kind, key)


def _values(entry: Entry) -> Columns:
    detail = entry.detail
    if entry.event == "trust":
        if detail["to"] is None:
            # Who assigned it, and when, stays as it was.
            return {"level": None}
        return {"level": detail["to"], "assigned_by": detail["by"], "assigned_at": entry.at}
    if entry.event == "revoke":
        return {"revoked": True}
    return {
        "granted_by": detail["granted_by"],
        "granted_at": entry.at,
        "expires_at": detail.get("until", ANY),
        "revoked": False,
    }
