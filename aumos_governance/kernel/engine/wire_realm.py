"""Gives a notebook's engine access to trust levels, budgets, consents and audit records.

The managers of an engine, such as `BudgetManager`, make ledger requests through a `Realm`. A kernel has no ledger, so
`WireRealm` sends these requests to the notebook service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final, NoReturn, Protocol, cast

from ...errors import AumOSGovernanceError, BudgetNotFoundError, ConsentNotFoundError, NotAllowedError
from ...ledger.contract.agreements import (
    Consent,
    GrantConsent,
    Record,
    RemoveTrust,
    RevokeConsent,
    SetTrust,
    TouchTrust,
    TrustAssignment,
)
from ...ledger.contract.audit_facts import AuditPage
from ...ledger.contract.budgets import SetBudget
from ...ledger.contract.charges import Adjust, Release, Settle, Spend
from ...ledger.contract.facts import NotebookKey, Origin
from ...ledger.contract.queries import (
    AuditFilters,
    AuditQuery,
    CountAudit,
    FindConsent,
    FindTrust,
    ListBudgets,
    ListConsents,
    ListHolds,
    ListTrust,
    Query,
)
from ...ledger.contract.requests import Request, ResponseT_co
from ...realm import Realm
from ...types import TrustLevel
from ...wire.operations import OPERATIONS


class Send(Protocol):
    """The type of a function that sends a request for the operation ``op`` and returns the body of the response."""

    def __call__(self, op: str, body: Mapping[str, Any]) -> dict[str, Any]: ...


class WireRealm(Realm):
    """A `Realm` without a ledger, which sends each ledger request to the notebook service instead.

    Every method may be called from any thread.
    """

    def __init__(self, send: Send) -> None:
        # The initializer of the base class is not called, since it needs a ledger.
        self.name = ""
        self.notebook = NotebookKey("", "", "")
        self.origin = Origin("kernel")
        self._send = send

    def execute(self, request: Request[ResponseT_co]) -> ResponseT_co:
        """Send a ledger request that changes something, and return its response.

        Raises NotAllowedError if a kernel may not make such a request.
        """
        do = _DO.get(type(request))
        if do is None:
            _refuse(type(request))
        try:
            return cast(ResponseT_co, do(self._send, request))
        except AumOSGovernanceError as error:
            category = getattr(request, "category", None)
            if error.code == BudgetNotFoundError.default_code and category is not None:
                raise BudgetNotFoundError(category) from None
            if error.code == ConsentNotFoundError.default_code:
                raise ConsentNotFoundError(error.message) from None
            raise

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        """Send a ledger query and return its response. Raises NotAllowedError if a kernel may not make such a query."""
        do = _READ.get(type(query))
        if do is None:
            _refuse(type(query))
        return cast(ResponseT_co, do(self._send, query))

    def close(self) -> None:
        """Do nothing, since closing an engine does not end the notebook's session."""


# ---- requests that change something


def _as_declared(name: str) -> Callable[[Send, Any], Any]:
    """Return a function that sends a ledger request as the operation ``name``.

    `OPERATIONS` declares which fields of the request and of the response are sent.
    """
    operation = OPERATIONS[name]

    def do(send: Send, request: Any) -> Any:
        return operation.response.read(send(name, operation.request.write(request)))

    return do


def _set_trust(send: Send, request: SetTrust) -> TrustAssignment:
    agent_id, scope, assigned_by = request.agent_id, request.scope, request.assigned_by
    body = _TRUST.request.body(agent_id=agent_id, level=request.level, scope=scope, assigned_by=assigned_by)
    return TrustAssignment(agent_id, scope, TrustLevel(send(_TRUST.name, body)["level"]), assigned_by, 0, 0)


def _remove_trust(send: Send, request: RemoveTrust) -> bool:
    body = {**_TRUST.request.body(agent_id=request.agent_id, scope=request.scope), "level": None}
    return send(_TRUST.name, body)["removed"] is True


def _revoke_consent(send: Send, request: RevokeConsent) -> int:
    body = _CONSENT.request.body(agent_id=request.agent_id, data_type=request.data_type, purpose=request.purpose)
    return int(send(_CONSENT.name, body)["revoked"])


_TRUST: Final = OPERATIONS["trust"]
_CONSENT: Final = OPERATIONS["consent"]
_DO: Final[dict[type[Request[Any]], Callable[[Send, Any], Any]]] = {
    SetTrust: _set_trust,
    RemoveTrust: _remove_trust,
    SetBudget: _as_declared("budget"),
    Spend: _as_declared("spend"),
    Settle: _as_declared("settle"),
    Release: _as_declared("release"),
    Adjust: _as_declared("adjust"),
    GrantConsent: _as_declared("consent"),
    RevokeConsent: _revoke_consent,
}


# ---- queries


def _find_trust(send: Send, query: FindTrust) -> TrustAssignment:
    response = send("agents", {})
    # Without an open session no agent may do anything.
    top = TrustLevel(response["session_level"] or 0)
    agents: tuple[TrustAssignment, ...] = OPERATIONS["agents"].response.read(response)
    given = {agent.scope: agent for agent in agents if agent.agent_id == query.agent_id}
    found = given.get(query.scope) or given.get(None)
    if found is None:
        return TrustAssignment(query.agent_id, None, top, None, 0, 0)
    return replace(found, level=min(found.level, top))


def _list_trust(send: Send, query: ListTrust) -> tuple[TrustAssignment, ...]:
    agents: tuple[TrustAssignment, ...] = OPERATIONS["agents"].response.read(send("agents", {}))
    return agents


def _query_audit(send: Send, query: AuditQuery) -> AuditPage:
    page: AuditPage = _AUDIT.response.read(send(_AUDIT.name, _AUDIT.request.write(query)))
    # The service returns a page of the newest records with the newest last.
    return page if query.oldest_first else replace(page, records=page.records[::-1])


def _count_audit(send: Send, query: CountAudit) -> int:
    one = AuditQuery(**{name: getattr(query, name) for name in _FILTERS}, limit=1)
    return int(send(_AUDIT.name, {**_AUDIT.request.write(one), "count": True})["total"])


def _consents(send: Send, **body: str | None) -> tuple[Consent, ...]:
    operation = OPERATIONS["consents"]
    found: tuple[Consent, ...] = operation.response.read(send(operation.name, operation.request.body(**body)))
    return found


def _find_consent(send: Send, query: FindConsent) -> Consent | None:
    found = _consents(send, agent_id=query.agent_id, data_type=query.data_type, purpose=query.purpose)
    return found[0] if found else None


def _list_consents(send: Send, query: ListConsents) -> tuple[Consent, ...]:
    return _consents(send, agent_id=query.agent_id)


_AUDIT: Final = OPERATIONS["audit"]
_FILTERS: Final = tuple(member.name for member in fields(AuditFilters))
_READ: Final[dict[type[Query[Any]], Callable[[Send, Any], Any]]] = {
    FindTrust: _find_trust,
    ListTrust: _list_trust,
    ListBudgets: _as_declared("budgets"),
    AuditQuery: _query_audit,
    CountAudit: _count_audit,
    FindConsent: _find_consent,
    ListConsents: _list_consents,
}


# ---- requests that a notebook's kernel cannot make


_ELSEWHERE: Final = "use GovernanceEngine(ledger=...) for that"
_REFUSED: Final[dict[type[Any], str]] = {
    Record: f"A notebook's engine records only its own decisions, so this record was not added; {_ELSEWHERE}.",
    TouchTrust: f"A notebook's engine does not record when its agents were active; {_ELSEWHERE}.",
    ListHolds: "A notebook's engine does not list open holds; see them in the governance panel.",
}


def _refuse(kind: type[Any]) -> NoReturn:
    raise NotAllowedError(_REFUSED.get(kind, f"A notebook's engine cannot do this ({kind.__name__}); {_ELSEWHERE}."))
