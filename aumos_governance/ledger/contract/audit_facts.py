"""Audit records, and the results of reading and verifying them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...frozen import quick
from ...types import GovernanceOutcome


@quick
@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One audit record, a link of a hash chain: ``hash`` covers all other fields, with ``previous_hash``.

    Amounts are in nano-USD, times in microseconds since the epoch.
    """

    chain: str
    """The session's id, or ``"ledger"`` for openings, closings and decisions outside any session."""
    seq: int
    """The record's number in its chain, from 1, without gaps."""
    record_id: str
    at: int
    event: str
    """The event: ``open, change, close, spend, hold, settle, release, void, evaluate`` and so on."""
    outcome: GovernanceOutcome | None
    """None if the event is not a decision: for example an approval request, or its withdrawal by the caller."""
    actor: str
    notebook: str
    """The notebook's path at the time of the event."""
    code: str | None = None
    reasons: tuple[str, ...] = ()
    agent_id: str | None = None
    tool: str | None = None
    cell_id: str | None = None
    execution_count: int | None = None
    amount: int = 0
    """The amount that was requested."""
    spent_delta: int = 0
    """The change of the session's spent amount; negative for a void or a correction."""
    held_delta: int = 0
    """The change of the session's held amount."""
    charge_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further values as JSON, such as a limit before and after a change, and flags such as ``overrun``; never a prompt
    or a key."""
    previous_hash: str = ""
    hash: str = ""
    notebook_id: str | None = None
    """The notebook's id, which a rename does not change."""
    action_type: str | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of audit records, with the cursor of the next page."""

    records: tuple[AuditEntry, ...]
    cursor: str | None
    """None on the last page."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One error that a verification found: a record or a row that was changed, added, removed or damaged."""

    code: str
    """``CHAIN_BROKEN``, ``HEAD_UNKNOWN``, ``ROW_MISSING``, ``ROW_UNKNOWN``, ``ROW_DIFFERS`` or ``DAMAGED``."""
    problem: str
    """The error in one sentence."""
    table: str | None = None
    record: str | None = None
    """The row's key, with spaces between its parts; for an audit record, its chain."""
    seq: int | None = None
    """The number of an audit record in its chain."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The result of a verification of hash chains, and of the comparison of the tables with the records."""

    ok: bool
    checked: int
    """The number of records that are intact."""
    heads: Mapping[str, str] = field(default_factory=dict)
    """The head of each verified chain. A copy kept elsewhere can prove later that no records were cut off."""
    problem: str | None = None
    """One sentence about the first bad record."""
    chain: str | None = None
    """The chain of the first bad record."""
    seq: int | None = None
    """The number of the first bad record in its chain."""
    findings: tuple[Finding, ...] = ()
    """The errors that were found, the first bad record first; at most 100."""
    unlisted: int = 0
    """The number of errors beyond those in ``findings``."""
    covered: Mapping[str, int] = field(default_factory=dict)
    """The number of rows of each table that match the records; ``audit`` has the number of records."""
    not_covered: tuple[str, ...] = ()
    """One sentence for each part that could not be compared, with the reason. These are not errors."""

    @property
    def damaged(self) -> bool:
        """Whether some stored data cannot be read, which is worse than a changed value."""
        return any(finding.code == "DAMAGED" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class AuditSum:
    """A sum over the matching records of one tool, agent, day, hour or minute.

    A day is named by its date (``2026-11-22``), and an hour or minute by its start (``2026-11-22T14:05Z``), in UTC.
    """

    name: str
    records: int
    """The number of records."""
    denied: int
    """The number of denials among the records."""
    spent: int
    """The sum of the records' ``spent_delta``, in nano-USD."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The id and the time of an audit record that was appended."""

    record_id: str
    at: int
