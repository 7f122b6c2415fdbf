"""The function that executes `ListKeys`: it lists the valid keys of the gateway of one server."""

from __future__ import annotations

from ...contract.keys import GatewayKey, ListKeys
from ...rules.chain import check_text
from ...transaction.work import Work
from ..registry import reader
from .key_rows import VALID_KEYS, key_of


@reader(ListKeys)
def list_keys(work: Work, query: ListKeys) -> tuple[GatewayKey, ...]:
    """Execute `ListKeys`: return the keys of an owner and root folder that are not revoked, oldest first."""
    check_text(query.owner, query.root)
    rows = work.select(VALID_KEYS, query.owner, query.root)
    return tuple(key_of(work, row) for row in sorted(rows, key=lambda row: (row.issued_at, row.id)))
