"""A notebook's session as the place of an engine's state: what its managers ask the ledger goes over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, Protocol, cast

from ... import money
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
from ...ledger.contract.budgets import Adjusted, BudgetState, Resolved, SetBudget
from ...ledger.contract.charges import Adjust, Release, Settle, Spend
from ...ledger.contract.facts import Decision, NotebookKey, Origin
from ...ledger.contract.queries import (
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
from ...ledger.contract.requests import AnswerT_co, Request
from ...realm import Realm
from ...types import TrustLevel
from .wire_facts import (
    adjusted_of,
    assignment_of,
    budget_of,
    consent_of,
    decision_of,
    entry_of,
    filters_of,
    resolved_of,
    said,
)

__all__ = ["WireRealm"]


class Asking(Protocol):
    """Asks whoever decides for this kernel, and gives the answer's body."""

    def __call__(self, op: str, body: Mapping[str, Any]) -> dict[str, Any]: ...


class WireRealm(Realm):
    """What `Realm` is to an engine with a ledger of its own; every method may be called from any thread."""

    def __init__(self, ask: Asking) -> None:
        # Nothing of the base class: there is no ledger here.
        self.name = ""
        self.notebook = NotebookKey("", "", "")
        self.origin = Origin("kernel")
        self._ask = ask

    def execute(self, request: Request[AnswerT_co]) -> AnswerT_co:
        """Have it done. Raises NotAllowedError for what a notebook's kernel cannot have done."""
        do = _DO.get(type(request))
        if do is None:
            _refuse(type(request))
        try:
            return cast(AnswerT_co, do(self._ask, request))
        except AumOSGovernanceError as error:
            category = getattr(request, "category", None)
            if error.code == BudgetNotFoundError.default_code and category is not None:
                raise BudgetNotFoundError(category) from None
            if error.code == ConsentNotFoundError.default_code:
                raise ConsentNotFoundError(error.message) from None
            raise

    def read(self, query: Query[AnswerT_co]) -> AnswerT_co:
        """As `execute`, of what changes nothing."""
        look = _READ.get(type(query))
        if look is None:
            _refuse(type(query))
        return cast(AnswerT_co, look(self._ask, query))

    def close(self) -> None:
        """There is nothing to close: the session is the notebook's."""


# ---- what is done


def _set_trust(ask: Asking, request: SetTrust) -> TrustAssignment:
    given = ask(
        "trust",
        said(agent_id=request.agent_id, level=int(request.level), scope=request.scope, assigned_by=request.assigned_by),
    )
    level = TrustLevel(given["level"])
    return TrustAssignment(request.agent_id, request.scope, level, request.assigned_by, 0, 0)


def _remove_trust(ask: Asking, request: RemoveTrust) -> bool:
    body = {**said(agent_id=request.agent_id, scope=request.scope), "level": None}
    return ask("trust", body)["removed"] is True


def _set_budget(ask: Asking, request: SetBudget) -> BudgetState:
    answer = ask(
        "budget",
        {
            "category": request.category,
            "limit": money.to_text(request.ceiling),
            "period": request.period.value,
            "create": request.create,
        },
    )
    return budget_of(answer["budget"])


def _spend(ask: Asking, request: Spend) -> Decision:
    answer = ask(
        "spend",
        said(
            amount=money.to_text(request.amount),
            tool=request.tool,
            category=request.category,
            agent_id=request.agent_id,
            note=request.note,
            already_paid=request.already_paid or None,
        ),
    )
    return decision_of(answer["decision"])


def _settle(ask: Asking, request: Settle) -> Resolved:
    body = said(
        hold_id=request.hold_id,
        amount=money.to_text(request.amount),
        estimated=request.estimated or None,
        reference=request.reference,
    )
    return resolved_of(ask("settle", body)["resolution"])


def _adjust(ask: Asking, request: Adjust) -> Adjusted:
    body = said(hold_id=request.charge_id, reference=request.reference, amount=money.to_text(request.amount))
    return adjusted_of(ask("adjust", body)["adjustment"])


def _release(ask: Asking, request: Release) -> Resolved:
    return resolved_of(ask("release", {"hold_id": request.hold_id})["resolution"])


def _grant_consent(ask: Asking, request: GrantConsent) -> Consent:
    body = said(
        agent_id=request.agent_id,
        data_type=request.data_type,
        purpose=request.purpose,
        granted_by=request.granted_by,
        until=request.until,
    )
    return consent_of(ask("consent", body)["consent"])


def _revoke_consent(ask: Asking, request: RevokeConsent) -> int:
    body = said(agent_id=request.agent_id, data_type=request.data_type, purpose=request.purpose)
    return int(ask("consent", body)["revoked"])


_DO: Final[dict[type[Request[Any]], Callable[[Asking, Any], Any]]] = {
    SetTrust: _set_trust,
    RemoveTrust: _remove_trust,
    SetBudget: _set_budget,
    Spend: _spend,
    Settle: _settle,
    Release: _release,
    Adjust: _adjust,
    GrantConsent: _grant_consent,
    RevokeConsent: _revoke_consent,
}


# ---- what is read


def _find_trust(ask: Asking, query: FindTrust) -> TrustAssignment:
    told = ask("agents", {})
    # With no session nothing is allowed, whoever acts.
    top = TrustLevel(told["session_level"] or 0)
    given = {agent["scope"]: agent for agent in told["agents"] if agent["agent_id"] == query.agent_id}
    found = given.get(query.scope) or given.get(None)
    if found is None:
        return TrustAssignment(query.agent_id, None, top, None, 0, 0)
    assignment = assignment_of(found)
    level = min(assignment.level, top)
    at = assignment.assigned_at
    return TrustAssignment(query.agent_id, assignment.scope, level, assignment.assigned_by, at, at)


def _list_trust(ask: Asking, query: ListTrust) -> tuple[TrustAssignment, ...]:
    return tuple(assignment_of(agent) for agent in ask("agents", {})["agents"])


def _list_budgets(ask: Asking, query: ListBudgets) -> tuple[BudgetState, ...]:
    return tuple(budget_of(told) for told in ask("budgets", said(category=query.category))["budgets"])


def _query_audit(ask: Asking, query: AuditQuery) -> AuditPage:
    body = {**filters_of(query), "limit": query.limit, "oldest_first": query.oldest_first}
    answer = ask("audit", {**body, **said(cursor=query.cursor)})
    records = tuple(entry_of(told) for told in answer["records"])
    # A page that begins with the newest is told with the newest last.
    return AuditPage(records if query.oldest_first else records[::-1], answer["cursor"])


def _count_audit(ask: Asking, query: CountAudit) -> int:
    return int(ask("audit", {**filters_of(query), "limit": 1, "count": True})["total"])


def _find_consent(ask: Asking, query: FindConsent) -> Consent | None:
    body = said(agent_id=query.agent_id, data_type=query.data_type, purpose=query.purpose)
    found = ask("consents", body)["consents"]
    return consent_of(found[0]) if found else None


def _list_consents(ask: Asking, query: ListConsents) -> tuple[Consent, ...]:
    return tuple(consent_of(told) for told in ask("consents", said(agent_id=query.agent_id))["consents"])


_READ: Final[dict[type[Query[Any]], Callable[[Asking, Any], Any]]] = {
    FindTrust: _find_trust,
    ListTrust: _list_trust,
    ListBudgets: _list_budgets,
    AuditQuery: _query_audit,
    CountAudit: _count_audit,
    FindConsent: _find_consent,
    ListConsents: _list_consents,
}


# ---- what is not there


_ELSEWHERE: Final = "use GovernanceEngine(ledger=...) for that"
_REFUSED: Final[dict[type[Any], str]] = {
    Record: f"A notebook's engine records what it decides and nothing else, so nothing was recorded; {_ELSEWHERE}.",
    TouchTrust: f"A notebook's engine does not note when its agents were active; {_ELSEWHERE}.",
    ListHolds: "What is held is listed in the governance panel, not by a notebook's engine.",
}


def _refuse(kind: type[Any]) -> NoReturn:
    raise NotAllowedError(_REFUSED.get(kind, f"A notebook's engine cannot do this ({kind.__name__}); {_ELSEWHERE}."))
