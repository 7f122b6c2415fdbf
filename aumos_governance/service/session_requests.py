"""What a kernel requests about agents and the record within its notebook's session, beyond what the tables say."""

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

__all__ = ["DECIDED", "READ"]

_FILTERS: Final = tuple(member.name for member in members_of(AuditFilters))


class _Levels(NamedTuple):
    """The levels that count within a session."""

    session_level: TrustLevel | None
    """The session's own, above which none counts; None where none is open."""
    agents: tuple[TrustAssignment, ...]


def trust(caller: Caller, terms: SessionTerms, wire_request: WireRequest) -> Decided:
    """Give an agent a level within the session, or with no level take it away."""
    operation = OPERATIONS["trust"]
    about = request_of(operation, caller, wire_request, terms)
    if "level" not in wire_request.body:
        raise InvalidRequestError("An agent is given a trust level from 0 to 5, or null, which takes its own away.")
    if about["level"] is not None:
        return SetTrust(**about), operation.response.write
    del about["level"], about["assigned_by"]
    return RemoveTrust(**about), lambda removed: {"level": None, "removed": removed}


def consent(caller: Caller, terms: SessionTerms, wire_request: WireRequest) -> Decided:
    """Allow an agent the use of a kind of data within the session, or with no ``granted_by`` take that back."""
    operation = OPERATIONS["consent"]
    about = request_of(operation, caller, wire_request, terms)
    if about["granted_by"] is None:
        del about["granted_by"], about["until"]
        return RevokeConsent(**about), operation.response.write
    if terms.strict:
        raise NotAllowedError("This server is strict: a notebook gives its agents no consents, so nothing was changed.")
    fields.text(wire_request.body, "data_type", "data_type")
    return GrantConsent(**about), operation.response.write


def agents(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """The levels that agents were given within the session, and the session's own."""
    operation = OPERATIONS["agents"]
    operation.request.read(body)
    state = ledger.read(ReadState(notebook=caller.notebook))
    if not state.active or state.session_id is None or state.trust_level is None:
        return operation.response.write(_Levels(None, ()))
    given = ledger.read(ListTrust(realm=session_realm(state.session_id)))
    return operation.response.write(_Levels(state.trust_level, given))


def consents(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """The consents within the session; of one agent where it is named, and with a data type the one that counts now."""
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
    """A page of the notebook's records, and how many match where that is requested."""
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
"""Of operations that change something: what the ledger is requested, and what makes its response a body."""
READ: Final[dict[str, Callable[[Ledger, Caller, Mapping[str, Any]], dict[str, Any]]]] = {
    "agents": agents,
    "consents": consents,
    "audit": audit,
}
"""Of operations that only read: what gives the body."""
