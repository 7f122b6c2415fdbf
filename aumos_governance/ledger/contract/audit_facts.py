"""Audit records, and what reading and verifying them gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...frozen import quick
from ...types import GovernanceOutcome

__all__ = [
    "AuditEntry",
    "AuditPage",
    "AuditSum",
    "Finding",
    "Recorded",
    "VerifyResult",
]


@quick
@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One record of a hash chain, complete: ``hash`` covers every other field and ``previous_hash``."""

    chain: str
    """The session's id, or ``"ledger"`` for openings, closings and decisions outside any session."""
    seq: int
    """1 for the chain's first record, without gaps."""
    record_id: str
    at: int
    event: str
    """What happened: ``open, change, close, spend, hold, settle, release, void, evaluate`` and so on."""
    outcome: GovernanceOutcome | None
    """None of what is no decision: an approval request, and what became of it where no user decided."""
    actor: str
    notebook: str
    """The notebook's path when it happened."""
    code: str | None = None
    reasons: tuple[str, ...] = ()
    agent_id: str | None = None
    tool: str | None = None
    cell_id: str | None = None
    execution_count: int | None = None
    amount: int = 0
    """What was requested."""
    spent_delta: int = 0
    """What it added to the session's spent; negative for a void or a correction."""
    held_delta: int = 0
    charge_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    """JSON values: what was before and after, flags such as ``overrun``; never a prompt or a key."""
    previous_hash: str = ""
    hash: str = ""
    notebook_id: str | None = None
    """The notebook itself, which a rename does not change."""
    action_type: str | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    records: tuple[AuditEntry, ...]
    cursor: str | None
    """None on the last page."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written."""

    code: str
    """``CHAIN_BROKEN``, ``HEAD_UNKNOWN``, ``ROW_MISSING``, ``ROW_UNKNOWN``, ``ROW_DIFFERS`` or ``DAMAGED``."""
    problem: str
    """One sentence."""
    table: str | None = None
    record: str | None = None
    """The key of the row, its parts with a space between; of an audit record its chain, with its number in ``seq``."""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What a walk over hash chains found, and the comparison of the tables with the records."""

    ok: bool
    checked: int
    """How many records were found intact."""
    heads: Mapping[str, str] = field(default_factory=dict)
    """The head of each chain walked; keep them elsewhere to prove later that nothing was cut off."""
    problem: str | None = None
    """One sentence on the first bad record."""
    chain: str | None = None
    seq: int | None = None
    """Where the first bad record is."""
    findings: tuple[Finding, ...] = ()
    """All that is not as it was written, the bad record first; at most 100."""
    unlisted: int = 0
    """How many more findings there are."""
    covered: Mapping[str, int] = field(default_factory=dict)
    """By table, how many rows are as the records say; ``audit`` counts the records themselves."""
    not_covered: tuple[str, ...] = ()
    """What was not compared, and why: one sentence each. It is no fault."""

    @property
    def damaged(self) -> bool:
        """Whether something that is stored cannot be read, which is more than a changed value."""
        return any(finding.code == "DAMAGED" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class AuditSum:
    """What the matching records of one tool, agent or stretch of time add up to.

    A day is named by its date (``2026-11-22``), hours and minutes by their start (``2026-11-22T14:05Z``), in UTC.
    """

    name: str
    records: int
    denied: int
    spent: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record that was appended, and when."""

    record_id: str
    at: int
