"""Audit records as the ledger returns them, and the results of queries that page, add up and verify them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...frozen import quick
from ...types import GovernanceOutcome


@quick
@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One audit record: what happened in a notebook, who did it, and how it changed the amounts of the session.

    Records form hash chains, so that a later change can be proved: ``hash`` is computed from all other fields, and one
    of these is the hash of the record before. Amounts are in nano-USD, times in microseconds since the epoch.
    """

    chain: str
    """The chain that the record belongs to: a session's id for the session's own chain, or ``"ledger"`` for the one
    chain of the whole ledger. That chain has the openings and closings of sessions, changes of ceilings and gateway
    keys, and decisions made without an open session."""
    seq: int
    """The record's number in its chain, from 1, without gaps."""
    record_id: str
    at: int
    event: str
    """The kind of event, for example ``open``, ``close``, ``spend``, ``hold``, ``settle``, ``void`` or ``evaluate``."""
    outcome: GovernanceOutcome | None
    """The decision that the event was. None for an event that decided nothing, such as an approval request."""
    actor: str
    notebook: str
    """The notebook's path at the time of the event; empty if the event concerned no notebook."""
    code: str | None = None
    reasons: tuple[str, ...] = ()
    agent_id: str | None = None
    tool: str | None = None
    cell_id: str | None = None
    execution_count: int | None = None
    amount: int = 0
    """The amount that the event was about, for example the amount that a spend requested or a settlement charged."""
    spent_delta: int = 0
    """By how much the event changed the session's spent amount; negative, for example, for a void or a correction."""
    held_delta: int = 0
    """By how much the event changed the session's held amount; negative if a hold ended."""
    charge_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further JSON values of this kind of event, such as a limit before and after a change, or the flag ``overrun``;
    never a prompt or a secret key."""
    previous_hash: str = ""
    hash: str = ""
    notebook_id: str | None = None
    """The notebook's id, which stays the same when the notebook is renamed."""
    action_type: str | None = None
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of audit records, as `AuditQuery` returns it."""

    records: tuple[AuditEntry, ...]
    cursor: str | None
    """The ``cursor`` for the query of the next page; None on the last page."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One error that `Ledger.verify` found: an audit record or a table's row was changed, added, removed or damaged."""

    code: str
    """The kind of error: ``CHAIN_BROKEN`` (an audit record does not fit its hash chain), ``HEAD_UNKNOWN`` (no record
    has the hash that the caller knows as a chain's head), ``RECORD_UNKNOWN`` (a record's detail does not match its
    event), ``ROW_MISSING``, ``ROW_UNKNOWN`` or ``ROW_DIFFERS`` (a table's row is not as the records state), or
    ``DAMAGED`` (stored data cannot be read)."""
    problem: str
    """The error in one sentence, for a user."""
    table: str | None = None
    record: str | None = None
    """The primary key of the wrong row, its parts separated by spaces; for a wrong audit record, its chain."""
    seq: int | None = None
    """For a wrong audit record, its number in its chain."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The result of `Ledger.verify`, which verifies hash chains and compares the tables with the audit records."""

    ok: bool
    checked: int
    """The number of audit records that are intact."""
    heads: Mapping[str, str] = field(default_factory=dict)
    """By verified chain, its head: the hash of its last record. A user who keeps a copy of a head elsewhere can prove
    later that no records were removed from the end of the chain."""
    problem: str | None = None
    """The first error in one sentence; None if there is none."""
    chain: str | None = None
    """The hash chain that is broken; None if no chain is broken."""
    seq: int | None = None
    """The number of the record at which this chain is broken."""
    findings: tuple[Finding, ...] = ()
    """The errors that were found. An error in a hash chain comes first; of all further errors at most 100 are
    listed."""
    unlisted: int = 0
    """The number of errors that are not listed in ``findings``, since there are too many."""
    covered: Mapping[str, int] = field(default_factory=dict)
    """By table, the number of its rows that match the audit records; under ``audit``, the number of audit records."""
    not_covered: tuple[str, ...] = ()
    """For each part of the tables that could not be compared, a sentence with the reason. These are not errors."""

    @property
    def damaged(self) -> bool:
        """Whether the verification found stored data that cannot be read, which is worse than a changed value."""
        return any(finding.code == "DAMAGED" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class AuditSum:
    """The totals of all audit records of one tool, one agent, or one day, hour or minute, as `AuditSums` returns them.

    ``name`` is the tool or agent. A day's name is its date (``2026-11-22``), and the name of an hour or minute is its
    start (``2026-11-22T14:05Z``), in UTC.
    """

    name: str
    records: int
    """The number of records of this tool, agent or time."""
    denied: int
    """The number of these records that are denials."""
    spent: int
    """The amount that was spent, in nano-USD: the sum of ``spent_delta`` of these records."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The response to a request that only appends an audit record: the record's id, and its time.

    The time is in microseconds since the epoch.
    """

    record_id: str
    at: int
