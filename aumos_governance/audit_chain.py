"""`HashChainedAuditLog`, a tamper-evident log in memory, for programs that keep a log of their own.

An engine does not use it: its audit trail is in its ledger.
"""

from __future__ import annotations

import json
import threading
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any, Final

from .audit.record import as_json
from .ledger.rules.chain import dumps, encode

__all__ = ["ChainedAuditRecord", "HashChainedAuditLog"]

_GENESIS: Final = "0" * 64
_HASH: Final = 7


@dataclass(frozen=True, slots=True)
class ChainedAuditRecord:
    """One record of a `HashChainedAuditLog`.

    ``record_hash`` covers all other fields, and through ``previous_hash`` all earlier records. It is the SHA-256, in
    hexadecimal, of a JSON array, without spaces, of the other fields in their order. In this array ``details`` is a
    string: its JSON text without spaces and with sorted keys.
    """

    record_id: str
    timestamp: str
    """When the record was appended, as ISO 8601 text in UTC."""
    agent_id: str
    action: str
    decision: str
    details: dict[str, Any]
    previous_hash: str
    record_hash: str


class HashChainedAuditLog:
    """An append-only log in memory. Each record's hash covers the hash of the record before it.

    So `verify_chain` finds any change of a record.

    No record is evicted, cleared or edited; `append` and `get_records` return copies. Threads may share a log. It is
    lost when its process ends, unlike an engine's audit trail, which is in the engine's ledger. ``max_records`` of
    the earlier SDK is accepted and has no effect.
    """

    def __init__(self, max_records: int | None = None) -> None:
        if max_records is not None:
            warnings.warn(
                "max_records has no effect: no audit record is ever evicted.", DeprecationWarning, stacklevel=2
            )
        self._lock = threading.Lock()
        self._rows: list[tuple[str, ...]] = []
        # Kept separately from the records, so that `verify_chain` finds out if the last ones are missing.
        self._count = 0
        self._head = _GENESIS

    def append(
        self, agent_id: str, action: str, decision: str, details: Mapping[str, Any] | None = None
    ) -> ChainedAuditRecord:
        """Append a record with the current time, and return a copy of it.

        Values in ``details`` that JSON has no type for are stored as text. Raises ValueError for text that is not valid
        Unicode; nothing is appended then.
        """
        text = dumps(as_json(details or {}))
        with self._lock:
            timestamp = datetime.now(timezone.utc).isoformat()
            content = (str(uuid.uuid4()), timestamp, agent_id, action, decision, text, self._head)
            row = (*content, _link(content))
            self._rows.append(row)
            self._count += 1
            self._head = row[_HASH]
        return _record(row)

    def verify_chain(self) -> tuple[bool, str | None]:
        """Verify the hashes of all records.

        Return ``(True, None)`` if all are intact, or False and a sentence about the first changed or missing record.
        """
        with self._lock:
            rows, count, head = list(self._rows), self._count, self._head
        previous = _GENESIS
        for number, row in enumerate(rows, start=1):
            if row[_HASH - 1] != previous:
                return False, f"Record {number} does not follow the record before it."
            if _link(row[:_HASH]) != row[_HASH]:
                return False, f"Record {number} was changed after it was appended."
            previous = row[_HASH]
        if len(rows) < count:
            return False, f"Record {len(rows) + 1} is missing, with all that followed it."
        if len(rows) > count or previous != head:
            return False, f"Record {len(rows)} is not the last one that was appended."
        return True, None

    def get_records(self) -> list[ChainedAuditRecord]:
        """Return copies of all records, oldest first."""
        with self._lock:
            rows = list(self._rows)
        return [_record(row) for row in rows]

    def count(self) -> int:
        """Return the number of records that were appended."""
        return self._count


def _link(content: tuple[str, ...]) -> str:
    return sha256(encode(content)).hexdigest()


def _record(row: tuple[str, ...]) -> ChainedAuditRecord:
    record_id, timestamp, agent_id, action, decision, details, previous_hash, record_hash = row
    return ChainedAuditRecord(
        record_id, timestamp, agent_id, action, decision, json.loads(details), previous_hash, record_hash
    )
