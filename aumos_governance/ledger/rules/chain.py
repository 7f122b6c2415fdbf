"""The hash chain of audit records, and the canonical JSON text that is hashed.

Each record has the hash of the record before it, so a record that is changed or removed later breaks the chain. A
record's hash is the SHA-256, in hex, of a JSON array of all its other fields, in the order of `AUDIT_COLUMNS`; the last
of these is the previous record's hash. In the array, ``reasons`` and ``detail`` are the JSON text that is stored, and
an outcome of null is ``""``. So a program in any language can recompute a chain from an export of the records with a
few lines.

Canonical JSON is UTF-8 without spaces, with sorted keys, and with text escaped only where JSON requires it. Equal
values always have the same canonical text, so that this text can be hashed and compared. For text, whole numbers of up
to 64 bits, booleans and null it is, byte for byte, what the standard library's `json` writes with
``ensure_ascii=False``, ``sort_keys=True`` and no spaces; so a program that recomputes a hash does not need this
package.
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
"""By name, the type of each column of an audit record, in the order in which the record's hash covers them.

The declaration of the table ``audit`` (`rows.AUDIT`) is made from it.
"""
AUDIT_COLUMNS: Final = tuple(AUDIT_HINTS)
LEDGER_CHAIN: Final = "ledger"
"""The name of the one chain of the whole ledger, beside the chain of each session.

Its records are the openings and closings of sessions, changes of ceilings and keys, and decisions that were made
without an open session.
"""
NO_NOTEBOOK: Final = "none"
"""A notebook id that matches no audit record, for a filter by a notebook that the ledger does not know.

It is not ``""``, since that is the id in records that concern no notebook.
"""
START: Final = ""
"""The value of ``previous_hash`` in a chain's first record, and the head of a chain without records."""
NO_OUTCOME: Final = ""
"""The text that is stored and hashed as the outcome of a record that is not a decision.

The database column is NOT NULL, so None cannot be stored.
"""

_FIELDS: Final = tuple(field.name for field in fields(AuditEntry))
_IN_FIELD_ORDER: Final = itemgetter(*(AUDIT_COLUMNS.index(name) for name in _FIELDS))
_OUTCOME, _REASONS, _DETAIL = (_FIELDS.index(name) for name in ("outcome", "reasons", "detail"))
_OUTCOMES: Final = {NO_OUTCOME: None, **{outcome.value: outcome for outcome in GovernanceOutcome}}

AuditRow = tuple[Any, ...]
"""The values of one audit record as they are stored and hashed, in the order of `AUDIT_COLUMNS`."""
OWN_EVENTS: Final = frozenset(
    (
        *("open", "change", "close", "configure", "ceiling", "enclose", "join", "budget"),
        *("spend", "hold", "settle", "release", "expire", "void", "unresolved", "adjust", "correct"),
        *("approval_requested", "ask", "approve", "refuse", "withdraw", "report", "acknowledge"),
        *("trust", "consent", "revoke"),
        *("key_issued", "key_bound", "key_revoked"),
    )
)
"""The events of audit records that only the ledger itself may write, and no caller by a `Record` request.

A verification computes from the records of these events what the tables must contain. The event of an approval request
is ``approval_requested``; earlier versions wrote ``ask``.
"""


# ---- canonical JSON, and the values that can be recorded

_BEYOND: Final = 2**63
# Dataclasses and dates are passed to ``default``, since neither has one obvious form in JSON.
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def encoder_with(default: Callable[[Any], Any] | None) -> Callable[[Any], bytes]:
    """Return a function that encodes a value as canonical JSON in UTF-8 (see the module).

    The encoder calls ``default`` with an object of a type that JSON does not have, and encodes the value that it
    returns instead. The encoder raises TypeError or ValueError for a value that it cannot write, and UnicodeEncodeError
    (a ValueError) for text that is not valid Unicode. It may write NaN or an infinite float as null, so use `dumps` for
    values that may contain floats.
    """
    # orjson refuses longer numbers and keys that are not text; the standard library writes them, or raises a clear
    # error for a value that JSON cannot represent.
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
    """Return the canonical JSON text of any JSON value, such as the ``detail`` of a request.

    Raises the errors that `encoder_with` describes, and ValueError for NaN or an infinite float.
    """
    text = encode(value)
    if b"null" in text:
        # orjson also writes a float that is not finite as null; the standard library refuses it.
        return _careful(value)
    return text.decode()


def check_whole(**numbers: int | None) -> None:
    """Raise InvalidRequestError unless each of these numbers is None or a whole number that fits in 64 bits.

    The names of the arguments are used in the message: ``check_whole(amount=request.amount)``.
    """
    for name, number in numbers.items():
        if number is not None and not (type(number) is int and -_BEYOND <= number < _BEYOND):
            raise InvalidRequestError(f"{name} must be a whole number of at most 64 bits.")


def check_text(*texts: str) -> None:
    """Raise InvalidRequestError for text with a lone surrogate or a NUL, which not every database can store."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidRequestError(
                "Text with a lone surrogate is not valid Unicode and cannot be recorded."
            ) from None
        if "\0" in text:
            raise InvalidRequestError("Text with a NUL character cannot be recorded; remove the character.")


# ---- a record


def digest(fields: Sequence[Any]) -> str:
    """Return the hash of one audit record, in hex; ``fields`` are the values of all its columns except ``hash``.

    It only computes the hash, for example to verify a stored record; `link` also checks the text of a new record.
    """
    return sha256(encode(fields)).hexdigest()


def link(fields: Sequence[Any]) -> str:
    """Return the hash of a new audit record, as `digest` does, after checking that the record can be stored.

    Raises InvalidRequestError for text with a lone surrogate or a NUL, which not every database can store.
    """
    try:
        text = encode(fields)
    except UnicodeEncodeError:
        raise InvalidRequestError("Text with a lone surrogate is not valid Unicode and cannot be recorded.") from None
    if b"\\u0000" in text:
        # Either a NUL, or a backslash in the text that is followed by "u0000".
        check_text(*(field for field in fields if isinstance(field, str)))
    return sha256(text).hexdigest()


def entry(values: Sequence[Any]) -> AuditEntry:
    """Return the `AuditEntry` of a stored record, whose ``values`` are in the order of `AUDIT_COLUMNS`."""
    named = list(_IN_FIELD_ORDER(values))
    named[_OUTCOME] = _OUTCOMES[named[_OUTCOME]]
    # Most records have no reasons and no detail, and parsing them is most of the time that reading a page takes.
    named[_REASONS] = tuple(json.loads(named[_REASONS])) if named[_REASONS] != "[]" else ()
    named[_DETAIL] = json.loads(named[_DETAIL]) if named[_DETAIL] != "{}" else {}
    return AuditEntry(*named)


def row(record: AuditEntry) -> AuditRow:
    """Return the values of a record as they are stored and hashed, in the order of `AUDIT_COLUMNS`.

    This is the inverse of `entry`.
    """
    named = {name: getattr(record, name) for name in AUDIT_COLUMNS}
    named["outcome"] = NO_OUTCOME if record.outcome is None else record.outcome.value
    named["reasons"] = dumps(list(record.reasons))
    named["detail"] = dumps(dict(record.detail))
    return tuple(named.values())
