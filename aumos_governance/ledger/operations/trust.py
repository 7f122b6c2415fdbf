"""Agents' trust levels and consents, and the checks of an action against them."""

from __future__ import annotations

from typing import Any

from ...errors import ConsentNotFoundError, InvalidRequestError
from ...types import GovernanceOutcome, TrustLevel
from ..base import (
    Consent,
    Decision,
    Evaluate,
    GrantConsent,
    NotebookKey,
    Origin,
    Record,
    RemoveTrust,
    RevokeConsent,
    SetTrust,
    TouchTrust,
    TrustAssignment,
)
from ..chain import LEDGER_CHAIN
from ..rows import ConsentRow, EnvelopeRow, TrustRow
from ..selections import CONSENTS_OF_AGENT
from ..verdicts import NO_SESSION, Refusal, agent_refusal, no_consent
from ..work import Work
from .places import category_id, envelopes_for, overdraw, places_of
from .records import record
from .sessions import open_session_of

__all__ = [
    "append_record",
    "assignment_of",
    "consent_of",
    "evaluate",
    "find_trust",
    "grant_consent",
    "remove_trust",
    "revoke_consent",
    "set_trust",
    "touch_trust",
]


def set_trust(work: Work, request: SetTrust) -> TrustAssignment:
    """Give an agent a level."""
    _check_named(agent_id=request.agent_id)
    scope = request.scope or ""
    row = work.find(TrustRow, request.realm, request.agent_id, scope)
    before = None if row is None else row.level
    if row is None:
        row = TrustRow(request.realm, request.agent_id, scope, None, None, work.now, work.now)
        work.add(row)
    else:
        work.save(row)
    row.level = int(request.level)
    row.assigned_by = request.assigned_by
    row.assigned_at = row.touched_at = work.now
    detail = {"scope": request.scope, "from": before, "to": row.level, "by": request.assigned_by}
    _record(work, request.notebook, request.origin, "trust", request.agent_id, detail)
    return assignment_of(row)


def touch_trust(work: Work, request: TouchTrust) -> bool:
    """Note that an agent was active."""
    row = work.find(TrustRow, request.realm, request.agent_id, request.scope or "")
    if row is None or row.level is None:
        return False
    row.touched_at = work.now
    work.save(row)
    return True


def remove_trust(work: Work, request: RemoveTrust) -> bool:
    """Take an agent's level away."""
    row = work.find(TrustRow, request.realm, request.agent_id, request.scope or "")
    if row is None or row.level is None:
        return False
    detail = {"scope": request.scope, "from": row.level, "to": None}
    row.level = None
    work.save(row)
    _record(work, request.notebook, request.origin, "trust", request.agent_id, detail)
    return True


def find_trust(work: Work, realm: str, agent_id: str, scope: str | None) -> TrustRow | None:
    """What counts for an agent: the level in the scope, else the one everywhere."""
    for place in (scope, "") if scope else ("",):
        row = work.find(TrustRow, realm, agent_id, place)
        if row is not None and row.level is not None:
            return row
    return None


def grant_consent(work: Work, request: GrantConsent) -> Consent:
    """Allow the use of a kind of data."""
    _check_named(agent_id=request.agent_id, data_type=request.data_type, granted_by=request.granted_by)
    key = (request.realm, request.agent_id, request.data_type, request.purpose or "")
    row = work.find(ConsentRow, *key)
    if row is None:
        row = work.add(ConsentRow(*key, request.granted_by, work.now, request.until, False))
    else:
        row.granted_by, row.granted_at, row.expires_at, row.revoked = request.granted_by, work.now, request.until, False
        work.save(row)
    detail = {"data_type": request.data_type, "purpose": request.purpose, "granted_by": request.granted_by}
    _record(work, request.notebook, request.origin, "consent", request.agent_id, detail)
    return consent_of(row)


def revoke_consent(work: Work, request: RevokeConsent) -> int:
    """Take consents back."""
    _check_named(agent_id=request.agent_id)
    if request.data_type is None:
        rows = [row for row in work.select(CONSENTS_OF_AGENT, request.realm, request.agent_id) if not row.revoked]
    else:
        found = work.find(ConsentRow, request.realm, request.agent_id, request.data_type, request.purpose or "")
        if found is None or found.revoked:
            raise ConsentNotFoundError(
                f"Agent {request.agent_id!r} has no consent for {request.data_type!r} to revoke."
            )
        rows = [found]
    for row in rows:
        row.revoked = True
        work.save(row)
        detail = {"data_type": row.data_type, "purpose": row.purpose or None}
        _record(work, request.notebook, request.origin, "revoke", request.agent_id, detail)
    return len(rows)


def append_record(work: Work, request: Record) -> str:
    """Record what was decided elsewhere."""
    notebook = work.notebook_or_new(request.notebook)
    session = open_session_of(work, notebook)
    return record(
        work,
        LEDGER_CHAIN if session is None else session.id,
        notebook,
        request.origin,
        request.event,
        outcome=request.outcome,
        code=request.code,
        reasons=request.reasons,
        agent_id=request.agent_id,
        tool=request.tool,
        action_type=request.action_type,
        resource=request.resource,
        amount=request.amount,
        detail=request.detail,
    )


def evaluate(work: Work, request: Evaluate) -> Decision:
    """Check an action and record the answer."""
    _check_named(agent_id=request.agent_id)
    refusal = _trust(work, request)
    caveat: Refusal | None = None
    if refusal is None:
        refusal = _budget(work, request)
        if refusal is not None and refusal.code == "BUDGET_EXCEEDED" and request.overdraft:
            refusal, caveat = None, refusal
    if refusal is None:
        refusal = _consent(work, request)
    found = refusal or caveat
    outcome = GovernanceOutcome.ALLOW
    if found is not None:
        outcome = GovernanceOutcome.DENY if refusal is not None else GovernanceOutcome.ALLOW_WITH_CAVEAT
    code, reasons = (None, ()) if found is None else (found.code, (found.reason,))
    notebook = work.notebook_or_new(request.notebook)
    session = open_session_of(work, notebook)
    record_id = record(
        work,
        LEDGER_CHAIN if session is None else session.id,
        notebook,
        request.origin,
        "evaluate",
        outcome=outcome,
        code=code,
        reasons=reasons,
        agent_id=request.agent_id,
        action_type=request.action_type,
        resource=request.resource,
        amount=request.amount or 0,
        detail=request.detail,
    )
    return Decision(outcome, reasons, record_id, request.amount or 0, "", code)


def assignment_of(row: TrustRow) -> TrustAssignment:
    """The assignment as answers show it."""
    return TrustAssignment(
        row.agent_id, row.scope or None, TrustLevel(row.level or 0), row.assigned_by, row.assigned_at, row.touched_at
    )


def consent_of(row: ConsentRow) -> Consent:
    """The consent as answers show it."""
    return Consent(row.agent_id, row.data_type, row.purpose or None, row.granted_by, row.granted_at, row.expires_at)


def _trust(work: Work, request: Evaluate) -> Refusal | None:
    if request.required_level is None:
        return None
    row = find_trust(work, request.realm, request.agent_id, request.scope)
    level = int(request.default_level) if row is None or row.level is None else row.level
    if level >= request.required_level:
        return None
    return agent_refusal(request.agent_id, request.required_level, level, request.scope)


def _budget(work: Work, request: Evaluate) -> Refusal | None:
    if request.amount is None:
        return None
    session = open_session_of(work, work.notebook(request.notebook))
    if session is None:
        return NO_SESSION
    category = request.category
    if category is not None and work.find(EnvelopeRow, category_id(session.id, category)) is None:
        return Refusal("BUDGET_NOT_FOUND", f"There is no budget {category!r}")
    return overdraw(places_of(work, envelopes_for(work, session, category), work.now), request.amount)


def _consent(work: Work, request: Evaluate) -> Refusal | None:
    data_type = request.data_type
    if data_type is None:
        return None
    for purpose in (request.purpose, "") if request.purpose else ("",):
        row = work.find(ConsentRow, request.realm, request.agent_id, data_type, purpose)
        if row is not None and not row.revoked and (row.expires_at is None or work.now < row.expires_at):
            return None
    return no_consent(request.agent_id, data_type, request.purpose) if request.default_deny else None


def _check_named(**names: str) -> None:
    for name, value in names.items():
        if not value:
            raise InvalidRequestError(f"{name} must be a non-empty string.")


def _record(work: Work, key: NotebookKey, origin: Origin, event: str, agent_id: str, detail: dict[str, Any]) -> None:
    notebook = work.notebook_or_new(key)
    session = open_session_of(work, notebook)
    chain = LEDGER_CHAIN if session is None else session.id
    record(work, chain, notebook, origin, event, agent_id=agent_id, detail=detail)
