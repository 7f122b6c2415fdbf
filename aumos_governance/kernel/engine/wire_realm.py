"""A notebook's session as the place of an engine's state: what its managers ask the ledger goes over the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final, NoReturn, Protocol, cast

from ...errors import AumOSGovernanceError, BudgetNotFoundError, ConsentNotFoundError, NotAllowedError
from ...ledger.contract import base
from ...ledger.contract.base import (
    AnswerT_co,
    NotebookKey,
    Origin,
    Query,
    Request,
)
from ...realm import Realm
from ...types import TrustLevel
from ...wire.operations import OPERATIONS

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


def _plain(name: str) -> Callable[[Asking, Any], Any]:
    """What the operation of this name does and gives back, as its table has it."""
    operation = OPERATIONS[name]

    def do(ask: Asking, request: Any) -> Any:
        return operation.response.read(ask(name, operation.request.write(request)))

    return do


def _set_trust(ask: Asking, request: base.SetTrust) -> base.TrustAssignment:
    agent_id, scope, assigned_by = request.agent_id, request.scope, request.assigned_by
    body = _TRUST.request.body(agent_id=agent_id, level=request.level, scope=scope, assigned_by=assigned_by)
    return base.TrustAssignment(agent_id, scope, TrustLevel(ask(_TRUST.name, body)["level"]), assigned_by, 0, 0)


def _remove_trust(ask: Asking, request: base.RemoveTrust) -> bool:
    body = {**_TRUST.request.body(agent_id=request.agent_id, scope=request.scope), "level": None}
    return ask(_TRUST.name, body)["removed"] is True


def _revoke_consent(ask: Asking, request: base.RevokeConsent) -> int:
    asked = _CONSENT.request.body(agent_id=request.agent_id, data_type=request.data_type, purpose=request.purpose)
    return int(ask(_CONSENT.name, asked)["revoked"])


_TRUST: Final = OPERATIONS["trust"]
_CONSENT: Final = OPERATIONS["consent"]
_DO: Final[dict[type[Request[Any]], Callable[[Asking, Any], Any]]] = {
    base.SetTrust: _set_trust,
    base.RemoveTrust: _remove_trust,
    base.SetBudget: _plain("budget"),
    base.Spend: _plain("spend"),
    base.Settle: _plain("settle"),
    base.Release: _plain("release"),
    base.Adjust: _plain("adjust"),
    base.GrantConsent: _plain("consent"),
    base.RevokeConsent: _revoke_consent,
}


# ---- what is read


def _find_trust(ask: Asking, query: base.FindTrust) -> base.TrustAssignment:
    told = ask("agents", {})
    # With no session nothing is allowed, whoever acts.
    top = TrustLevel(told["session_level"] or 0)
    agents: tuple[base.TrustAssignment, ...] = OPERATIONS["agents"].response.read(told)
    given = {agent.scope: agent for agent in agents if agent.agent_id == query.agent_id}
    found = given.get(query.scope) or given.get(None)
    if found is None:
        return base.TrustAssignment(query.agent_id, None, top, None, 0, 0)
    return replace(found, level=min(found.level, top))


def _list_trust(ask: Asking, query: base.ListTrust) -> tuple[base.TrustAssignment, ...]:
    agents: tuple[base.TrustAssignment, ...] = OPERATIONS["agents"].response.read(ask("agents", {}))
    return agents


def _query_audit(ask: Asking, query: base.AuditQuery) -> base.AuditPage:
    page: base.AuditPage = _AUDIT.response.read(ask(_AUDIT.name, _AUDIT.request.write(query)))
    # A page that begins with the newest comes with the newest last.
    return page if query.oldest_first else replace(page, records=page.records[::-1])


def _count_audit(ask: Asking, query: base.CountAudit) -> int:
    one = base.AuditQuery(**{name: getattr(query, name) for name in _FILTERS}, limit=1)
    return int(ask(_AUDIT.name, {**_AUDIT.request.write(one), "count": True})["total"])


def _consents(ask: Asking, **asked: str | None) -> tuple[base.Consent, ...]:
    operation = OPERATIONS["consents"]
    found: tuple[base.Consent, ...] = operation.response.read(ask(operation.name, operation.request.body(**asked)))
    return found


def _find_consent(ask: Asking, query: base.FindConsent) -> base.Consent | None:
    found = _consents(ask, agent_id=query.agent_id, data_type=query.data_type, purpose=query.purpose)
    return found[0] if found else None


def _list_consents(ask: Asking, query: base.ListConsents) -> tuple[base.Consent, ...]:
    return _consents(ask, agent_id=query.agent_id)


_AUDIT: Final = OPERATIONS["audit"]
_FILTERS: Final = tuple(member.name for member in fields(base.AuditFilters))
_READ: Final[dict[type[Query[Any]], Callable[[Asking, Any], Any]]] = {
    base.FindTrust: _find_trust,
    base.ListTrust: _list_trust,
    base.ListBudgets: _plain("budgets"),
    base.AuditQuery: _query_audit,
    base.CountAudit: _count_audit,
    base.FindConsent: _find_consent,
    base.ListConsents: _list_consents,
}


# ---- what is not there


_ELSEWHERE: Final = "use GovernanceEngine(ledger=...) for that"
_REFUSED: Final[dict[type[Any], str]] = {
    base.Record: "A notebook's engine records what it decides and nothing else, so nothing was recorded;"
    f" {_ELSEWHERE}.",
    base.TouchTrust: f"A notebook's engine does not note when its agents were active; {_ELSEWHERE}.",
    base.ListHolds: "What is held is listed in the governance panel, not by a notebook's engine.",
}


def _refuse(kind: type[Any]) -> NoReturn:
    raise NotAllowedError(_REFUSED.get(kind, f"A notebook's engine cannot do this ({kind.__name__}); {_ELSEWHERE}."))
