"""Audit records, appended to their chain in the transaction that they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from ...types import GovernanceOutcome
from ..contract.facts import Origin
from ..rules.chain import NO_OUTCOME
from ..rules.compact import dumps
from ..transaction.rows import NotebookRow
from ..transaction.work import Work

__all__ = ["OWN_EVENTS", "record"]

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


def record(
    work: Work,
    chain: str,
    notebook: NotebookRow | None,
    origin: Origin,
    event: str,
    *,
    outcome: GovernanceOutcome | None = GovernanceOutcome.ALLOW,
    code: str | None = None,
    reasons: tuple[str, ...] = (),
    agent_id: str | None = None,
    tool: str | None = None,
    action_type: str | None = None,
    resource: str | None = None,
    amount: int = 0,
    spent_delta: int = 0,
    held_delta: int = 0,
    charge_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Append one record to ``chain`` and answer its id. ``outcome`` is None where nothing is decided yet."""
    record_id = work.new_id()
    # In the order of chain.AUDIT_COLUMNS, from record_id to detail.
    work.append(
        chain,
        (
            record_id,
            work.now,
            event,
            NO_OUTCOME if outcome is None else outcome._value_,
            origin.actor,
            "" if notebook is None else notebook.path,
            "" if notebook is None else notebook.id,
            code,
            _text(reasons) if reasons else "[]",
            agent_id,
            tool,
            action_type,
            resource,
            origin.cell_id,
            origin.execution_count,
            amount,
            spent_delta,
            held_delta,
            charge_id,
            dumps(detail) if detail else "{}",
        ),
    )
    return record_id


# Kept, since agents ask the same over and over.
_text = lru_cache(maxsize=512)(dumps)
