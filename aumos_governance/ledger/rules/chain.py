"""The hash chain of audit records, and the one form of JSON that is hashed: pure, no storage.

A record's hash is the SHA-256, in hex, of a JSON array of every field in the order of `AUDIT_COLUMNS`, the last
of which is the previous record's hash. The array is written without spaces, text unescaped where JSON allows
it, as UTF-8. ``reasons`` and ``detail`` go in as the JSON text that is stored, an outcome of null as ``""``. So
a program with an export of the records can recompute a chain with a few lines in any language.

JSON is written in its canonical form: no spaces, keys sorted, text as it is. The same values always give the same text,
so that the text can be hashed and compared. For text, whole numbers of up to 64 bits, booleans and null it is, byte for
byte, what the standard library writes with ``ensure_ascii=False``, keys sorted and no spaces; so a program that
recomputes a hash needs no library of ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final

import orjson

from ...errors import InvalidRequestError
from ...types import GovernanceOutcome
from ..contract.audit_facts import AuditEntry

__all__ = [
    "AUDIT_COLUMNS",
    "AUDIT_HINTS",
    "LEDGER_CHAIN",
    "NO_NOTEBOOK",
    "NO_OUTCOME",
    "OWN_EVENTS",
    "START",
    "AuditRow",
    "check_text",
    "check_whole",
    "digest",
    "dumps",
    "encode",
    "encoder_with",
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
NO_NOTEBOOK: Final = "none"
"""The id of no notebook. A record that belongs to none has an empty id."""
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
OWN_EVENTS: Final = frozenset(
    (
        *("open", "change", "close", "configure", "ceiling", "enclose", "join", "budget"),
        *("spend", "hold", "settle", "release", "expire", "void", "unresolved", "adjust", "correct"),
        *("approval_requested", "ask", "approve", "refuse", "withdraw", "report", "acknowledge"),
        *("trust", "consent", "revoke"),
        *("key_issued", "key_bound", "key_revoked"),
    )
)
"""The events of the records that say what the ledger's rows hold; `proof.rules` has a rule for each.

An approval request is ``approval_requested``; earlier versions wrote ``ask``.
"""


# ---- what can be recorded, and how it is written

_BEYOND: Final = 2**63
# Objects of our own go to `default`; a date has no one form in JSON, and is for the caller to write.
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def encoder_with(default: Callable[[Any], Any] | None) -> Callable[[Any], bytes]:
    """A canonical encoder to UTF-8; ``default`` gives the JSON value of anything JSON does not know.

    The encoder raises TypeError or ValueError for what it cannot write, and UnicodeEncodeError (a ValueError) for text
    that is not valid Unicode. A float that is not finite it may write as null: what can hold one goes to `dumps`.
    """
    # Writes longer numbers and keys that are no text, and raises a clear error for what JSON cannot hold.
    plain = _careful_with(default)
    quick = orjson.dumps

    def encode(value: Any) -> bytes:
        try:
            return quick(value, default, _OPTIONS)
        except TypeError:
            return plain(value).encode()

    return encode


def _careful_with(default: Callable[[Any], Any] | None) -> Callable[[Any], str]:
    return json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=default
    ).encode


encode = encoder_with(None)
_careful: Final = _careful_with(None)


def dumps(value: Any) -> str:
    """The canonical text of what may hold any JSON value, such as a caller's details; raises as an encoder does."""
    text = encode(value)
    if b"null" in text:
        # Which is also how the quick encoder writes a float that is not finite; the careful one refuses that.
        return _careful(value)
    return text.decode()


def check_whole(**numbers: int | None) -> None:
    """Raises InvalidRequestError that names the first number which no column can hold: beyond 64 bits."""
    for name, number in numbers.items():
        if number is not None and not (type(number) is int and -_BEYOND <= number < _BEYOND):
            raise InvalidRequestError(f"{name} must be a whole number of at most 64 bits.")


def check_text(*texts: str) -> None:
    """Raises InvalidRequestError for text that no database can store: half a character, or a NUL."""
    for text in texts:
        _utf8(text)
        if "\0" in text:
            raise InvalidRequestError("Text with a NUL character cannot be recorded.")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError("Text that is not valid Unicode cannot be recorded.") from None


# ---- a record


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
