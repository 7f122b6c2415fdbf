"""The hash chain of audit records: pure, no storage.

A record's hash is the SHA-256, in hex, of a JSON array of every field in the order of `AUDIT_COLUMNS`, the last
of which is the previous record's hash. The array is written without spaces, text unescaped where JSON allows
it, as UTF-8. ``reasons`` and ``detail`` go in as the JSON text that is stored, an outcome of null as ``""``. So
anyone with an export of the records can recompute a chain with a few lines in any language.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final

from ...errors import InvalidRequestError
from ...types import GovernanceOutcome
from ..contract.audit_facts import AuditEntry
from .compact import dumps, encode
from .content import check_text

__all__ = [
    "AUDIT_COLUMNS",
    "AUDIT_HINTS",
    "LEDGER_CHAIN",
    "NO_OUTCOME",
    "START",
    "AuditRow",
    "digest",
    "entry",
    "link",
    "row",
]

AUDIT_HINTS: Final[dict[str, Any]] = {
    "chain": str,
    "seq": int,
    "record_id": str,
    "at": int,
    "event": str,
    "outcome": str,
    "actor": str,
    "notebook": str,
    "notebook_id": str,
    "code": str | None,
    "reasons": str,
    "agent_id": str | None,
    "tool": str | None,
    "action_type": str | None,
    "resource": str | None,
    "cell_id": str | None,
    "execution_count": int | None,
    "amount": int,
    "spent_delta": int,
    "held_delta": int,
    "charge_id": str | None,
    "detail": str,
    "previous_hash": str,
    "hash": str,
}
"""The columns of a record, in order, with what they hold: a table is made of it."""
AUDIT_COLUMNS: Final = tuple(AUDIT_HINTS)
LEDGER_CHAIN: Final = "ledger"
"""The chain of openings, closings and decisions outside any session."""
START: Final = ""
"""The previous hash of a chain's first record, and the head of an empty chain."""
NO_OUTCOME: Final = ""
"""What is stored and hashed as the outcome of a record that is no decision: the column takes no NULL."""

_FIELDS: Final = tuple(field.name for field in fields(AuditEntry))
_IN_FIELD_ORDER: Final = itemgetter(*(AUDIT_COLUMNS.index(name) for name in _FIELDS))
_OUTCOME, _REASONS, _DETAIL = (_FIELDS.index(name) for name in ("outcome", "reasons", "detail"))
_OUTCOMES: Final = {NO_OUTCOME: None, **{outcome.value: outcome for outcome in GovernanceOutcome}}

AuditRow = tuple[Any, ...]
"""One record's values in the order of `AUDIT_COLUMNS`."""


def digest(fields: Sequence[Any]) -> str:
    """The hash of one record; ``fields`` are all columns but the hash itself."""
    return sha256(encode(fields)).hexdigest()


def link(fields: Sequence[Any]) -> str:
    """The `digest` of a record that is to be written.

    Raises InvalidRequestError for text that is not valid Unicode or holds a NUL, which not every database can store.
    """
    try:
        text = encode(fields)
    except UnicodeEncodeError:
        raise InvalidRequestError("Text that is not valid Unicode cannot be recorded.") from None
    if b"\\u0000" in text:
        # A backslash in the text is written so too.
        check_text(*(field for field in fields if isinstance(field, str)))
    return sha256(text).hexdigest()


def entry(values: Sequence[Any]) -> AuditEntry:
    """The record as callers read it."""
    named = list(_IN_FIELD_ORDER(values))
    named[_OUTCOME] = _OUTCOMES[named[_OUTCOME]]
    # Most records have neither, and reading a page is mostly this.
    named[_REASONS] = tuple(json.loads(named[_REASONS])) if named[_REASONS] != "[]" else ()
    named[_DETAIL] = json.loads(named[_DETAIL]) if named[_DETAIL] != "{}" else {}
    return AuditEntry(*named)


def row(record: AuditEntry) -> AuditRow:
    """The record as it is stored and hashed: the reverse of `entry`."""
    named = {name: getattr(record, name) for name in AUDIT_COLUMNS}
    named["outcome"] = NO_OUTCOME if record.outcome is None else record.outcome.value
    named["reasons"] = dumps(list(record.reasons))
    named["detail"] = dumps(dict(record.detail))
    return tuple(named.values())
