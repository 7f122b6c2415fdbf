"""The part of a verification that derives, from audit records, which keys of the gateway the ledger must contain.

Programs send such a key, a secret, with each call to the local gateway. All records about keys are in the ledger-wide
chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..rules.chain import AUDIT_COLUMNS

KEY_EVENTS: Final = frozenset({"key_issued", "key_bound", "key_revoked"})
_AT, _ACTOR = AUDIT_COLUMNS.index("at"), AUDIT_COLUMNS.index("actor")


class Keys:
    """The rows that the table ``gateway_keys`` must have, according to the records that were replayed so far."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {}

    def replay_record(self, row: Sequence[Any], event: str, detail: dict[str, Any]) -> None:
        """Apply one record to the expected rows: a key was issued, bound to a notebook, or revoked.

        ``row`` is the audit record; ``event`` and ``detail`` are its event and its parsed JSON detail.
        """
        if event == "key_issued":
            self._values[detail["key"]] = {
                "digest": detail["sha256"],
                "owner": detail["owner"],
                "root": detail["root"],
                "kind": detail["kind"],
                "name": detail["name"],
                "notebook_id": detail["document"],
                "subject": detail["subject"],
                "server": detail["server"],
                "issued_at": row[_AT],
                "issued_by": row[_ACTOR],
                "revoked_at": None,
                "revoked_by": None,
            }
        elif event == "key_bound":
            self._values[detail["key"]]["notebook_id"] = detail["document"]
        else:
            self._values[detail["key"]].update(revoked_at=row[_AT], revoked_by=row[_ACTOR])

    def rows(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Return the values that each row of ``gateway_keys`` must have, by the row's primary key."""
        return {(id,): values for id, values in self._values.items()}
