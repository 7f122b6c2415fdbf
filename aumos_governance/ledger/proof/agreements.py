"""The comparison of the stored trust levels and consents of agents with the audit records about them.

A level or a consent belongs to a realm: the namespace of a session's or an owner's agents. The realm of a session has
records only in that session's chain; other realms may have records in several chains. The order of records in different
chains is not known, so a row of another realm is right if it agrees with the last record in any of these chains.
"""

from __future__ import annotations

from typing import Any

from ..contract.agreements import session_realm
from ..transaction.rows import ConsentRow, TrustRow
from ..transaction.tables import Key, Row, columns
from .expected_rows import ANY, Columns
from .findings import Findings
from .ledger_replay import Entry


class Agreements:
    """The expected rows of trust levels and consents, collected during one verification.

    For each row, this object keeps the values from the last record in each chain, and then compares the stored row.
    """

    def __init__(self) -> None:
        self._recorded: dict[tuple[type[Row], Key], dict[str, Columns]] = {}
        """By row, then by chain: the values of the row according to the chain's last record about the row."""
        self._unnamed: set[tuple[type[Row], Key]] = set()
        """Rows with records of earlier versions, which do not name the realm. So these keys lack the realm."""

    @property
    def uncovered(self) -> bool:
        """Whether some rows cannot be verified, because records of earlier versions do not name their realm."""
        return bool(self._unnamed)

    def replay_record(self, entry: Entry, session_id: str | None) -> None:
        """Note the values that a record of a ``trust``, ``consent`` or ``revoke`` event gives to its row.

        ``session_id`` is the session whose chain has the record, or None for the ledger-wide chain.
        """
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

    def compare(
        self, kind: type[TrustRow | ConsentRow], row: tuple[Any, ...], everything: bool, findings: Findings
    ) -> bool:
        """Compare a stored row of the table of ``kind`` with its records, and return whether the records prove it.

        If the row differs from its records, a finding is added. A row without records is a finding only if
        ``everything`` is true, that is if the records of the whole ledger were replayed.
        """
        key = row[: len(kind.KEY)]
        if not all(isinstance(part, str) for part in key):
            return findings.check(kind, [str(part) for part in key], row)
        recorded = self._recorded.pop((kind, key), None)
        if (kind, key[1:]) in self._unnamed:
            # Some records of the row do not name its realm. Their order among the other records is not known.
            return False
        if recorded is None:
            if everything:
                findings.unknown(kind, key)
            return False
        if not findings.check(kind, key, row):
            return False
        found = dict(zip(columns[kind], row, strict=True))
        wrong = [
            [name for name, value in expected.items() if value is not ANY and value != found[name]]
            for expected in recorded.values()
        ]
        if not all(wrong):
            return True
        expected, names = list(recorded.values())[-1], wrong[-1]
        for name in names:
            findings.differs(kind, key, name, expected[name], found[name])
        return False

    def finish(self, findings: Findings) -> None:
        """Add a finding for each row that has records but is missing; call this after `compare` for all stored rows."""
        for kind, key in self._recorded:
            if (kind, key[1:]) not in self._unnamed:
                findings.missing(kind, key)


def _values(entry: Entry) -> Columns:
    detail = entry.detail
    if entry.event == "trust":
        if detail["to"] is None:
            # The row keeps who assigned the level, and when.
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
