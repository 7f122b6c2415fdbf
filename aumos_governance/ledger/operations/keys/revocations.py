"""The operation that revokes keys of the gateway. A revoked key stays revoked."""

from __future__ import annotations

from ....errors import InvalidRequestError
from ...contract.facts import Origin
from ...contract.keys import RevokedKeys, RevokeKeys
from ...rules.chain import LEDGER_CHAIN
from ...transaction.rows import GatewayKeyRow, NotebookRow
from ...transaction.work import Work, record
from ..registry import operation
from .key_rows import document_of, key_named


@operation(RevokeKeys)
def revoke_keys(work: Work, request: RevokeKeys) -> RevokedKeys:
    """Execute `RevokeKeys`: revoke the keys with these ids; keys that are revoked already stay unchanged."""
    if not request.key_ids:
        raise InvalidRequestError("A revocation must name at least one key.")
    rows = [key_named(work, key_id, request.origin) for key_id in dict.fromkeys(request.key_ids)]
    valid = [row for row in rows if row.revoked_at is None]
    notebook = None
    if request.notebook is not None and valid:
        # A user's decision must be found under the notebook, so the notebook is created if it is not known yet.
        find = work.notebook_or_new if request.origin.person else work.notebook
        notebook = find(request.notebook)
    for row in valid:
        revoke(work, row, request.origin, request.why, notebook)
    return RevokedKeys(tuple(row.id for row in valid), len(valid))


def revoke(work: Work, row: GatewayKeyRow, origin: Origin, why: str, elsewhere: NotebookRow | None) -> None:
    """Revoke one valid key, and record ``why``.

    The record names the key's notebook, or the notebook ``elsewhere`` if the key has none.
    """
    row.revoked_at, row.revoked_by = work.now, origin.actor
    work.save(row)
    notebook = document_of(work, row) or elsewhere
    if notebook is not None:
        work.touch(notebook)
    detail = {"key": row.id, "kind": row.kind, "name": row.name, "why": why}
    record(work, LEDGER_CHAIN, notebook, origin, "key_revoked", resource=row.name, detail=detail)
