"""Opaque cursors of keyset pages, bound to the query they came from."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import fields
from hashlib import sha256

from ...errors import InvalidRequestError
from ..contract.queries import AuditQuery
from .chain import check_text, encoder_with

__all__ = ["MAX_PAGE", "AuditPosition", "check_limit", "read_cursor", "write_cursor"]

MAX_PAGE = 1_000
"""The most rows of one page."""

AuditPosition = tuple[int, str, int]
"""The last record of a page: its ``at``, ``chain`` and ``seq``, which is also the order of pages."""

_encode = encoder_with(lambda value: [getattr(value, field.name) for field in fields(value)])


def check_limit(limit: int) -> None:
    """Raises InvalidRequestError for a page size that is none."""
    if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
        raise InvalidRequestError(f"A page's limit must be a whole number from 1 to {MAX_PAGE}.")


def write_cursor(query: AuditQuery, position: AuditPosition) -> str:
    """The cursor of the page after ``position``."""
    return base64.urlsafe_b64encode(_encode([_fingerprint(query), *position])).decode()


def read_cursor(query: AuditQuery) -> AuditPosition | None:
    """Where the query's cursor points; None without one.

    Raises InvalidRequestError when it is not a cursor, or one of another query.
    """
    if query.cursor is None:
        return None
    try:
        fingerprint, at, chain, seq = json.loads(base64.urlsafe_b64decode(query.cursor.encode("ascii")))
        if type(at) is not int or type(seq) is not int or not isinstance(chain, str):
            raise TypeError
    except (ValueError, TypeError, binascii.Error):
        raise InvalidRequestError("The cursor is not one that an earlier page gave.") from None
    if fingerprint != _fingerprint(query):
        raise InvalidRequestError("The cursor belongs to a query with other filters; start again without it.")
    if not (abs(at) < 2**63 and 0 <= seq < 2**63):
        raise InvalidRequestError("The cursor is not one that an earlier page gave.")
    check_text(chain)
    return at, chain, seq


def _fingerprint(query: AuditQuery) -> str:
    filters = [
        [field.name, getattr(query, field.name)] for field in fields(query) if field.name not in ("limit", "cursor")
    ]
    return sha256(_encode(filters)).hexdigest()[:16]
