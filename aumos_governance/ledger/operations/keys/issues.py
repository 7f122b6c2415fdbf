"""The operation that stores a new key of the gateway, and revokes the previous key of the same kernel or terminal."""

from __future__ import annotations

import re
from typing import Any, Final

from ....errors import ConflictError, InvalidRequestError, NotAllowedError
from ...contract.keys import KERNEL, KINDS, RUN, USER, GatewayKey, IssueKey
from ...rules.chain import LEDGER_CHAIN, check_text
from ...transaction.rows import GatewayKeyRow
from ...transaction.work import Work, record
from ..registry import operation
from .key_rows import VALID_KEYS, key_of
from .revocations import revoke

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MAX_NAME: Final = 200
_OF_USERS: Final = (USER, RUN)


@operation(IssueKey)
def issue_key(work: Work, request: IssueKey) -> GatewayKey:
    """Execute `IssueKey`: store a new key by its SHA-256, and record this.

    With ``replaces``, the valid keys of the same kernel or terminal are revoked first.
    """
    _check(request)
    if work.find(GatewayKeyRow, request.key_id) is not None:
        raise ConflictError(f"There is a key with the id {request.key_id!r} already; use a new random id.")
    valid = work.select(VALID_KEYS, request.owner, request.root)
    if request.kind == USER and any(row.kind == USER and row.name == request.name for row in valid):
        raise ConflictError(f"There is a key named {request.name!r} already; revoke it first, or choose another name.")
    this = (request.kind, request.subject, request.server)
    before = [row for row in valid if request.replaces and (row.kind, row.subject, row.server) == this]
    notebook = None if request.notebook is None else work.notebook_or_new(request.notebook)
    for row in before:
        revoke(work, row, request.origin, "a new process has a new key", None)
        # Pages of records are sorted by time, and the old key's revocation must come before the new key's issue.
        work.now += 1
    row = work.add(
        GatewayKeyRow(
            id=request.key_id,
            digest=request.digest,
            owner=request.owner,
            root=request.root,
            kind=request.kind,
            name=request.name,
            notebook_id=None if notebook is None else notebook.id,
            subject=request.subject,
            server=request.server,
            issued_at=work.now,
            issued_by=request.origin.actor,
        )
    )
    if notebook is not None:
        work.touch(notebook)
    detail: dict[str, Any] = {
        "key": row.id,
        "sha256": row.digest,
        "kind": row.kind,
        "name": row.name,
        "owner": row.owner,
        "root": row.root,
        "subject": row.subject,
        "server": row.server,
        "document": row.notebook_id,
    }
    record(work, LEDGER_CHAIN, notebook, request.origin, "key_issued", resource=row.name, detail=detail)
    return key_of(work, row)


def _check(request: IssueKey) -> None:
    check_text(request.key_id, request.owner, request.root, request.name, request.subject, request.server)
    if request.kind not in KINDS:
        raise InvalidRequestError(f"A key's kind must be one of {', '.join(KINDS)}.")
    if not request.key_id or not _DIGEST.fullmatch(request.digest):
        raise InvalidRequestError("A key must have an id, and as its digest a SHA-256 of 64 hexadecimal digits.")
    if not request.name.strip() or len(request.name) > _MAX_NAME:
        raise InvalidRequestError(f"A key's name must have from 1 to {_MAX_NAME} characters.")
    if request.kind == KERNEL and request.notebook is not None:
        raise InvalidRequestError(
            "A kernel's key must not name a notebook; its calls are charged to the kernel's notebook."
        )
    if request.kind in _OF_USERS:
        if not request.origin.person:
            raise NotAllowedError(f"Only a user, and not code, may request a key of the kind {request.kind}.")
        if request.notebook is None:
            raise InvalidRequestError(
                f"A key of the kind {request.kind} must name the notebook that its calls are charged to."
            )
