"""Functions that the operations on the gateway's keys share: they find a key's row, and make a response from it."""

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
"""Selects the keys of one owner and root folder, and so of one server, that are not revoked."""


def key_named(work: Work, key_id: str, origin: Origin) -> GatewayKeyRow:
    """Return the row of the key with this id.

    Raises NotFoundError if there is no such key, or if it is the key of another owner or root folder than the caller's.
    """
    check_text(key_id)
    row = work.find(GatewayKeyRow, key_id)
    if row is None or (origin.within is not None and origin.within != (row.owner, row.root)):
        raise NotFoundError(f"There is no key with the id {key_id!r}.")
    return row


def document_of(work: Work, row: GatewayKeyRow) -> NotebookRow | None:
    """Return the notebook that calls with a key are charged to, or None if the key has none or it was deleted.

    If that notebook was joined to another one, the other notebook is returned.
    """
    if row.notebook_id is None:
        return None
    alias = work.find(NotebookAliasRow, row.notebook_id)
    notebook = work.get(NotebookRow, row.notebook_id if alias is None else alias.notebook_id)
    return notebook if notebook.deleted_at is None else None


def key_of(work: Work, row: GatewayKeyRow) -> GatewayKey:
    """Return the `GatewayKey` that a response contains, made from its row, with the notebook's current path."""
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
