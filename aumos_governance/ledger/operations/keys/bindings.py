"""The operation that binds a terminal's key of the gateway to a notebook; calls with the key are charged to it."""

from __future__ import annotations

from ....errors import InvalidRequestError, NotFoundError
from ...contract.keys import TERMINAL, BindKey, GatewayKey
from ...rules.chain import LEDGER_CHAIN
from ...transaction.work import Work, record
from ..registry import operation
from .key_rows import key_named, key_of


@operation(BindKey)
def bind_key(work: Work, request: BindKey) -> GatewayKey:
    """Execute `BindKey`: from now on, charge the calls with a terminal's key to this notebook."""
    row = key_named(work, request.key_id, request.origin)
    if row.revoked_at is not None:
        raise NotFoundError(f"The key {row.name!r} was revoked, so it cannot be bound to a notebook.")
    if row.kind != TERMINAL:
        raise InvalidRequestError(
            f"The key {row.name!r} cannot be bound to another notebook, since it is not the key of a terminal."
        )
    notebook = work.notebook_or_new(request.notebook)
    if notebook.id != row.notebook_id:
        row.notebook_id = notebook.id
        work.save(row)
        work.touch(notebook)
        detail = {"key": row.id, "name": row.name, "document": notebook.id}
        record(work, LEDGER_CHAIN, notebook, request.origin, "key_bound", resource=row.name, detail=detail)
    return key_of(work, row)
