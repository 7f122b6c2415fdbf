"""Handlers of the wire operations about agents, consents and audit records.

The service executes most operations as one request to the ledger; those here need more. It finds them by the
operation's name, in `DECIDED` if they change something and else in `READ`. Agents are the AI agents that run in a
notebook: within its session, each may have a trust level of its own and consents to use kinds of data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields as members_of
from typing import Any, Final, NamedTuple

from ..errors import InvalidRequestError, NotAllowedError
from ..ledger.contract.agreements import (
    GrantConsent,
    RemoveTrust,
    RevokeConsent,
    SetTrust,
    TrustAssignment,
    session_realm,
)
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import (
    AuditFilters,
    AuditQuery,
    CountAudit,
    FindConsent,
    ListConsents,
    ListTrust,
    ReadState,
)
from ..ledger.contract.terms import SessionTerms
from ..types import TrustLevel
from ..wire import fields
from ..wire.operations import OPERATIONS
from ..wire.protocol import WireRequest
from .callers import Caller, request_of
from .checks import Decided, evaluate

_FILTERS: Final = tuple(member.name for member in members_of(AuditFilters))


class _Levels(NamedTuple):
    """The trust levels within a notebook's session, as the response to ``agents`` states them."""

    session_level: TrustLevel | None
    """The session's own level, which no agent's level can exceed; None if no session is open."""
    agents: tuple[TrustAssignment, ...]
    """The levels that were assigned to agents within this session."""


def trust(caller: Caller, terms: SessionTerms, wire_request: WireRequest) -> Decided:
    """Return the ledger request for a ``trust``: it sets or removes an agent's trust level within the session.

    The level is removed if the field ``level`` is null. Raises InvalidRequestError if the field is missing.
    """
    operation = OPERATIONS["trust"]
    about = request_of(operation, caller, wire_request, terms)
    if "level" not in wire_request.body:
        raise InvalidRequestError(
            "A trust request needs a level from 0 to 5, or null, which removes the agent's level."
        )
    if about["level"] is not None:
        return SetTrust(**about), operation.response.write
    del about["level"], about["assigned_by"]
    return RemoveTrust(**about), lambda removed: {"level": None, "removed": removed}


def consent(caller: Caller, terms: SessionTerms, wire_request: WireRequest) -> Decided:
    """Return the ledger request for a ``consent``: it lets an agent use a kind of data within the session.

    Without the field ``granted_by``, it revokes this consent. Raises NotAllowedError for a grant if the server is
    strict, i.e. configured so that notebooks cannot widen their own rights.
    """
    operation = OPERATIONS["consent"]
    about = request_of(operation, caller, wire_request, terms)
    if about["granted_by"] is None:
        del about["granted_by"], about["until"]
        return RevokeConsent(**about), operation.response.write
    if terms.strict:
        raise NotAllowedError(
            "This server is strict, so a notebook cannot grant consents to its agents; nothing was changed."
        )
    fields.text(wire_request.body, "data_type", "data_type")
    return GrantConsent(**about), operation.response.write


def agents(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response body with the trust levels of the notebook's session and of the agents within it."""
    operation = OPERATIONS["agents"]
    operation.request.read(body)
    state = ledger.read(ReadState(notebook=caller.notebook))
    if not state.active or state.session_id is None or state.trust_level is None:
        return operation.response.write(_Levels(None, ()))
    given = ledger.read(ListTrust(realm=session_realm(state.session_id)))
    return operation.response.write(_Levels(state.trust_level, given))


def consents(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response body with the consents within the notebook's session.

    The field ``agent_id`` limits them to one agent. With the field ``data_type``, the body has only the consent that
    allows this agent, by default the session's, to use this kind of data now, if there is one.
    """
    operation = OPERATIONS["consents"]
    values = operation.request.read(body)
    state = ledger.read(ReadState(notebook=caller.notebook))
    if not state.active or state.session_id is None:
        return operation.response.write(())
    realm = session_realm(state.session_id)
    if values["data_type"] is None:
        return operation.response.write(ledger.read(ListConsents(agent_id=values["agent_id"], realm=realm)))
    values["agent_id"] = values["agent_id"] or state.agent_id or ""
    counts = ledger.read(FindConsent(**values, realm=realm))
    return operation.response.write(() if counts is None else (counts,))


def audit(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response body with a page of the notebook's audit records, oldest first.

    With the field ``count``, the body also has the number of all matching records as ``total``.
    """
    operation = OPERATIONS["audit"]
    query: AuditQuery = operation.request.read(body, notebook=caller.notebook)
    response = operation.response.write(ledger.read(query))
    if not query.oldest_first:
        response["records"].reverse()
    if fields.flag(body, "count"):
        response["total"] = ledger.read(CountAudit(**{name: getattr(query, name) for name in _FILTERS}))
    return response


DECIDED: Final[dict[str, Callable[[Caller, SessionTerms, WireRequest], Decided]]] = {
    "evaluate": evaluate,
    "trust": trust,
    "consent": consent,
}
"""The handlers of operations that change something. Each returns a ledger request and the writer of its response."""
READ: Final[dict[str, Callable[[Ledger, Caller, Mapping[str, Any]], dict[str, Any]]]] = {
    "agents": agents,
    "consents": consents,
    "audit": audit,
}
"""The handlers of operations that only read. Each returns the response body."""
