"""Functions that the operations on keys share: they find rows, and make a `GatewayKey` of a row."""

from __future__ import annotations

from typing import Final

from ....errors import NotFoundError
from ...contract.facts import Origin
from ...contract.keys import GatewayKey
from ...rules.chain import check_text
from ...transaction.conditions import given
from ...transaction.rows import VALID, GatewayKeyRow, NotebookAliasRow, NotebookRow
from ...transaction.selections import Selection
from ...transaction.work import Work
from ..reach import key_under

VALID_KEYS: Final = Selection(GatewayKeyRow, VALID, given("owner"), given("root"))
"""The keys of a server that are not revoked."""


def key_named(work: Work, key_id: str, origin: Origin) -> GatewayKeyRow:
    """Return the key with this id; raise NotFoundError if there is no such key, or if the caller may not name it."""
    check_text(key_id)
    row = work.find(GatewayKeyRow, key_id)
    if row is None or (origin.within is not None and origin.within != (row.owner, row.root)):
        raise NotFoundError(f"There is no key {key_id!r}.")
    return row


def document_of(work: Work, row: GatewayKeyRow) -> NotebookRow | None:
    """Return the live notebook that a key is bound to, or None.

    If that notebook was joined to another, return the other notebook.
    """
    if row.notebook_id is None:
        return None
    alias = work.find(NotebookAliasRow, row.notebook_id)
    notebook = work.get(NotebookRow, row.notebook_id if alias is None else alias.notebook_id)
    return notebook if notebook.deleted_at is None else None


def key_of(work: Work, row: GatewayKeyRow) -> GatewayKey:
    """Return the `GatewayKey` of a row, for a response."""
    document = document_of(work, row)
    notebook = None if document is None else key_under(document, row.root)
    return GatewayKey(
        row.id,
        row.digest,
        row.owner,
        row.root,
        row.kind,
        row.name,
        notebook,
        row.subject,
        row.server,
        row.issued_at,
        row.issued_by,
        row.revoked_at,
        row.revoked_by,
    )
