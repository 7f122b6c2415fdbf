"""Cursors: the opaque texts by which a client requests the next page of audit records.

A cursor contains the position of the last record of a page, and a fingerprint of the query, so that it is valid only
for a query with the same criteria.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import fields
from hashlib import sha256
from typing import Final

from ...errors import InvalidRequestError
from ..contract.queries import AuditQuery
from .chain import check_text, encoder_with

MAX_PAGE = 1_000
"""The most items that one page of any paged query may have."""

AuditPosition = tuple[int, str, int]
"""The position of an audit record among all records: its ``at``, ``chain`` and ``seq``, by which pages are sorted."""

_MALFORMED: Final = "The cursor was not returned with an earlier page; start again without it."
_encode = encoder_with(lambda value: [getattr(value, field.name) for field in fields(value)])


def check_limit(limit: int) -> None:
    """Raise InvalidRequestError unless the page size is a whole number from 1 to `MAX_PAGE`."""
    if type(limit) is not int or not 1 <= limit <= MAX_PAGE:
        raise InvalidRequestError(f"A page's limit must be a whole number from 1 to {MAX_PAGE}.")


def write_cursor(query: AuditQuery, position: AuditPosition) -> str:
    """Return the cursor of the next page of a query; ``position`` is that of the last record on the present page."""
    return base64.urlsafe_b64encode(_encode([_fingerprint(query), *position])).decode()


def read_cursor(query: AuditQuery) -> AuditPosition | None:
    """Return the position of the record that precedes the query's page, or None if the query has no cursor.

    Raises InvalidRequestError if the cursor is malformed or belongs to another query.
    """
    if query.cursor is None:
        return None
    try:
        fingerprint, at, chain, seq = json.loads(base64.urlsafe_b64decode(query.cursor.encode("ascii")))
        if type(at) is not int or type(seq) is not int or not isinstance(chain, str):
            raise TypeError
    except (ValueError, TypeError, binascii.Error):
        raise InvalidRequestError(_MALFORMED) from None
    if fingerprint != _fingerprint(query):
        raise InvalidRequestError("The cursor belongs to a query with other filters; start again without it.")
    if not (abs(at) < 2**63 and 0 <= seq < 2**63):
        raise InvalidRequestError(_MALFORMED)
    check_text(chain)
    return at, chain, seq


def _fingerprint(query: AuditQuery) -> str:
    """Return a digest of the query's filters and order, which a cursor contains to be valid only with the same ones."""
    filters = [
        [field.name, getattr(query, field.name)] for field in fields(query) if field.name not in ("limit", "cursor")
    ]
    return sha256(_encode(filters)).hexdigest()[:16]
