"""The operations on agents' trust levels and consents, and functions that find those that apply to an action.

A *realm* is the namespace in which they are looked up: the name of the owner of an SDK engine, or the realm of one
governance session for the agents in a notebook.
"""

from __future__ import annotations

from typing import Any

from ....errors import ConsentNotFoundError, InvalidRequestError, NotAllowedError, NotFoundError
from ....types import TrustLevel
from ...contract.agreements import (
    Consent,
    GrantConsent,
    RemoveTrust,
    RevokeConsent,
    SetTrust,
    TouchTrust,
    TrustAssignment,
    session_realm,
)
from ...contract.facts import NotebookKey
from ...contract.queries import FindConsent, FindTrust, ListConsents, ListTrust
from ...rules.chain import LEDGER_CHAIN, check_whole
from ...transaction.rows import ConsentRow, SessionRow, TrustRow
from ...transaction.selections import CONSENTS_OF_AGENT, CONSENTS_OF_REALM, TRUST_OF_REALM
from ...transaction.work import Work, record
from ..balances import open_session_of
from ..registry import operation, reader


@operation(SetTrust)
def set_trust(work: Work, request: SetTrust) -> TrustAssignment:
    """Execute `SetTrust`: set an agent's trust level, for one scope or all scopes, and record it."""
    check_named(agent_id=request.agent_id)
    realm, scope = request.realm, request.scope or ""
    if realm is None:
        session = _open_session(work, request.notebook)
        realm = session_realm(session.id)
        _check_given(work, request, session, realm)
    row = work.find(TrustRow, realm, request.agent_id, scope)
    before = None if row is None else row.level
    if row is None:
        row = TrustRow(realm, request.agent_id, scope, None, None, work.now, work.now)
        work.add(row)
    else:
        work.save(row)
    row.level = int(request.level)
    row.assigned_by = request.assigned_by
    row.assigned_at = row.touched_at = work.now
    detail = {"scope": request.scope, "from": before, "to": row.level, "by": request.assigned_by}
    _record(work, request, "trust", request.agent_id, detail)
    return assignment_of(row)


@operation(TouchTrust)
def touch_trust(work: Work, request: TouchTrust) -> bool:
    """Execute `TouchTrust`: store that an agent is active now; return False if no trust level was set for it."""
    row = work.find(TrustRow, request.realm, request.agent_id, request.scope or "")
    if row is None or row.level is None:
        return False
    row.touched_at = work.now
    work.save(row)
    return True


@operation(RemoveTrust)
def remove_trust(work: Work, request: RemoveTrust) -> bool:
    """Execute `RemoveTrust`: remove the trust level that was set for an agent; return False if none was set."""
    session = _open_session(work, request.notebook) if request.realm is None else None
    realm = session_realm(session.id) if session is not None else request.realm or ""
    row = work.find(TrustRow, realm, request.agent_id, request.scope or "")
    if row is None or row.level is None:
        return False
    if request.tighten_only and session is not None:
        everywhere = find_trust(work, realm, request.agent_id, None) if request.scope else None
        then = session.trust_level if everywhere is None or everywhere.level is None else everywhere.level
        if then > row.level:
            raise _loosened(request.agent_id, row.level)
    detail = {"scope": request.scope, "from": row.level, "to": None}
    row.level = None
    work.save(row)
    _record(work, request, "trust", request.agent_id, detail)
    return True


def find_trust(work: Work, realm: str, agent_id: str, scope: str | None) -> TrustRow | None:
    """Return the row with the trust level that applies to an agent: for this scope, or else for all scopes.

    Returns None if no level was set. The caller must not change the row (see `Work.peek`).
    """
    for place in (scope, "") if scope else ("",):
        row = work.peek(TrustRow, realm, agent_id, place)
        if row is not None and row.level is not None:
            return row
    return None


def agent_level(work: Work, realm: str, agent_id: str, scope: str | None, default: int) -> int:
    """Return the trust level that applies to an agent in a realm and scope, or ``default`` if none was set."""
    row = find_trust(work, realm, agent_id, scope)
    return int(default) if row is None or row.level is None else row.level


@operation(GrantConsent)
def grant_consent(work: Work, request: GrantConsent) -> Consent:
    """Execute `GrantConsent`: store and record a consent for an agent to use a type of data."""
    check_named(agent_id=request.agent_id, data_type=request.data_type, granted_by=request.granted_by)
    check_whole(until=request.until)
    realm = _realm_of(work, request.notebook, request.realm)
    key = (realm, request.agent_id, request.data_type, request.purpose or "")
    row = work.find(ConsentRow, *key)
    if row is None:
        row = work.add(ConsentRow(*key, request.granted_by, work.now, request.until, False))
    else:
        row.granted_by, row.granted_at, row.expires_at, row.revoked = request.granted_by, work.now, request.until, False
        work.save(row)
    detail = {
        "data_type": request.data_type,
        "purpose": request.purpose,
        "granted_by": request.granted_by,
        "until": request.until,
    }
    _record(work, request, "consent", request.agent_id, detail)
    return consent_of(row)


@operation(RevokeConsent)
def revoke_consent(work: Work, request: RevokeConsent) -> int:
    """Execute `RevokeConsent`: revoke one consent of an agent, or all if the request names no data type.

    Returns the number of revoked consents.
    """
    check_named(agent_id=request.agent_id)
    realm = _realm_of(work, request.notebook, request.realm)
    if request.data_type is None:
        rows = [row for row in work.select(CONSENTS_OF_AGENT, realm, request.agent_id) if not row.revoked]
    else:
        found = work.find(ConsentRow, realm, request.agent_id, request.data_type, request.purpose or "")
        if found is None or found.revoked:
            raise ConsentNotFoundError(
                f"Agent {request.agent_id!r} has no consent for {request.data_type!r} to revoke."
            )
        rows = [found]
    for row in rows:
        row.revoked = True
        work.save(row)
        detail = {"data_type": row.data_type, "purpose": row.purpose or None}
        _record(work, request, "revoke", request.agent_id, detail)
    return len(rows)


def find_consent(work: Work, realm: str, agent_id: str, data_type: str, purpose: str | None) -> ConsentRow | None:
    """Return the row of the valid consent that covers a use of data: for this purpose, or else for every purpose.

    Returns None if no consent covers it, because none was granted, or it was revoked or has expired. The caller must
    not change the row (see `Work.peek`).
    """
    for place in (purpose, "") if purpose else ("",):
        row = work.peek(ConsentRow, realm, agent_id, data_type, place)
        if row is not None and not row.revoked and (row.expires_at is None or work.now < row.expires_at):
            return row
    return None


def realm_in(session: SessionRow, realm: str | None) -> str:
    """Return the realm in which a request's agent is looked up: ``realm`` itself, or for None that of the session.

    A realm is the namespace of agents' trust levels and consents.
    """
    return session_realm(session.id) if realm is None else realm


def check_named(**names: str) -> None:
    """Raise InvalidRequestError for the first of these values that is empty.

    The names of the arguments are used in the message: ``check_named(agent_id="")``.
    """
    for name, value in names.items():
        if not value:
            raise InvalidRequestError(f"{name} must be a non-empty string.")


def assignment_of(row: TrustRow) -> TrustAssignment:
    """Return the `TrustAssignment` that a response contains, made from its row."""
    return TrustAssignment(
        row.agent_id, row.scope or None, TrustLevel(row.level or 0), row.assigned_by, row.assigned_at, row.touched_at
    )


def consent_of(row: ConsentRow) -> Consent:
    """Return the `Consent` that a response contains, made from its row."""
    return Consent(row.agent_id, row.data_type, row.purpose or None, row.granted_by, row.granted_at, row.expires_at)


def _realm_of(work: Work, key: NotebookKey, realm: str | None) -> str:
    return session_realm(_open_session(work, key).id) if realm is None else realm


def _open_session(work: Work, key: NotebookKey) -> SessionRow:
    session = open_session_of(work, work.notebook(key))
    if session is None:
        raise NotFoundError(
            "An agent's trust level or consent needs an open governance session; start it with %governance."
        )
    return session


def _check_given(work: Work, request: SetTrust, session: SessionRow, realm: str) -> None:
    top = session.trust_level
    if request.level > top:
        raise NotAllowedError(
            f"Trust level {request.level.short()} is above {TrustLevel(top).short()}, the session's, so agent"
            f" {request.agent_id!r} cannot be given it; a user can raise the session's level with"
            " %governance --trust-level."
        )
    now = agent_level(work, realm, request.agent_id, request.scope, top)
    if request.tighten_only and request.level > now:
        raise _loosened(request.agent_id, now)


def _loosened(agent_id: str, level: int) -> NotAllowedError:
    return NotAllowedError(
        f"This server is strict, so code in the notebook cannot raise the trust level of agent {agent_id!r} above"
        f" L{level}; to end this limit, a user can close the session in the governance panel and open the next one."
    )


def _record(
    work: Work,
    request: SetTrust | RemoveTrust | GrantConsent | RevokeConsent,
    event: str,
    agent_id: str,
    detail: dict[str, Any],
) -> None:
    notebook = work.notebook_or_new(request.notebook)
    session = open_session_of(work, notebook)
    chain = LEDGER_CHAIN if session is None else session.id
    # A null realm is the realm of the session whose chain has this record.
    detail["realm"] = request.realm
    record(work, chain, notebook, request.origin, event, agent_id=agent_id, detail=detail)


@reader(FindTrust)
def read_trust(work: Work, query: FindTrust) -> TrustAssignment | None:
    """Execute `FindTrust`: return the trust level that applies to an agent, or None if none was set."""
    row = find_trust(work, query.realm, query.agent_id, query.scope)
    return None if row is None else assignment_of(row)


@reader(ListTrust)
def list_trust(work: Work, query: ListTrust) -> tuple[TrustAssignment, ...]:
    """Execute `ListTrust`: return the trust levels that were set in a realm, without removed ones."""
    return tuple(assignment_of(row) for row in work.select(TRUST_OF_REALM, query.realm) if row.level is not None)


@reader(FindConsent)
def read_consent(work: Work, query: FindConsent) -> Consent | None:
    """Execute `FindConsent`: return the valid consent that covers a use of data, or None if there is none."""
    row = find_consent(work, query.realm, query.agent_id, query.data_type, query.purpose)
    return None if row is None else consent_of(row)


@reader(ListConsents)
def list_consents(work: Work, query: ListConsents) -> tuple[Consent, ...]:
    """Execute `ListConsents`: return the consents in a realm, or of one agent in it, without revoked ones."""
    if query.agent_id is None:
        rows = work.select(CONSENTS_OF_REALM, query.realm)
    else:
        rows = work.select(CONSENTS_OF_AGENT, query.realm, query.agent_id)
    return tuple(consent_of(row) for row in rows if not row.revoked)
