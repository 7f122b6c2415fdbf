"""What a kernel asks about agents, categories and the record within its notebook's session, as requests and bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .. import money
from ..errors import InvalidPeriodError, InvalidRequestError, NotAllowedError
from ..ledger.contract.agreements import Consent, GrantConsent, RemoveTrust, RevokeConsent, SetTrust, TrustAssignment
from ..ledger.contract.budgets import BudgetState, SetBudget
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import (
    AuditQuery,
    CountAudit,
    FindConsent,
    ListBudgets,
    ListConsents,
    ListTrust,
    ReadState,
)
from ..ledger.contract.terms import SessionTerms
from ..ledger.rules.realms import session_realm
from ..types import BUDGET_PERIOD_VALUES, BudgetPeriod, GovernanceOutcome
from ..wire import fields
from ..wire.bodies import audit_body, time_text
from ..wire.protocol import Ask
from .callers import Caller, expiry_of, origin_of
from .checks import Decided, evaluate

__all__ = ["DECIDED", "READ"]

_AUDIT_TEXTS: Final = ("agent_id", "event", "tool", "action_type", "resource")
_MOST_MICROS: Final = 2**62


def trust(caller: Caller, terms: SessionTerms, ask: Ask) -> Decided:
    """Give an agent a level within the session, or with no level take it away."""
    body = ask.body
    fields.known_only(body, ("agent_id", "level", "scope", "assigned_by"))
    about: dict[str, Any] = {
        "key": ask.id,
        "origin": origin_of(caller, ask),
        "expires_at": expiry_of(ask),
        "notebook": caller.notebook,
        "agent_id": fields.text(body, "agent_id", "agent id"),
        "scope": fields.optional_text(body, "scope", "scope"),
        "realm": None,
        # As for the session's own level: a strict server lets a notebook only tighten it.
        "tighten_only": terms.strict,
    }
    if "level" not in body:
        raise InvalidRequestError("An agent is given a trust level from 0 to 5, or null, which takes its own away.")
    level = fields.optional_level(body, "level")
    if level is None:
        return RemoveTrust(**about), lambda removed: {"level": None, "removed": removed}
    request = SetTrust(**about, level=level, assigned_by=fields.optional_text(body, "assigned_by", "assigned_by"))
    return request, lambda assigned: {"level": int(assigned.level), "removed": False}


def budget(caller: Caller, terms: SessionTerms, ask: Ask) -> Decided:
    """Make a category's envelope within the session, or with ``create`` false change its ceiling."""
    body = ask.body
    fields.known_only(body, ("category", "limit", "period", "create"))
    if body.get("limit") is None:
        raise InvalidRequestError("A budget needs a limit in US dollars, for example 5.")
    period = body.get("period") or BudgetPeriod.MONTHLY.value
    if period not in BUDGET_PERIOD_VALUES:
        raise InvalidPeriodError(
            f"A budget's period is one of {', '.join(BUDGET_PERIOD_VALUES)}, not {str(period)[:40]!r}."
        )
    request = SetBudget(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        notebook=caller.notebook,
        category=fields.text(body, "category", "category"),
        ceiling=money.parse(body["limit"], what="limit"),
        period=BudgetPeriod(period),
        create=body.get("create") is None or fields.flag(body, "create"),
        tighten_only=terms.strict,
    )

    def answer(state: BudgetState) -> dict[str, Any]:
        return {"budget": budget_body(state), "created": state.created, "changed": state.changed}

    return request, answer


def consent(caller: Caller, terms: SessionTerms, ask: Ask) -> Decided:
    """Allow an agent the use of a kind of data within the session, or with no ``granted_by`` take that back."""
    body = ask.body
    fields.known_only(body, ("agent_id", "data_type", "purpose", "granted_by", "until"))
    about: dict[str, Any] = {
        "key": ask.id,
        "origin": origin_of(caller, ask),
        "expires_at": expiry_of(ask),
        "notebook": caller.notebook,
        "agent_id": fields.text(body, "agent_id", "agent id"),
        "purpose": fields.optional_text(body, "purpose", "purpose"),
        "realm": None,
    }
    granted_by = fields.optional_text(body, "granted_by", "granted_by")
    if granted_by is None:
        revoke = RevokeConsent(**about, data_type=fields.optional_text(body, "data_type", "data_type"))
        return revoke, lambda revoked: {"consent": None, "revoked": revoked}
    if terms.strict:
        raise NotAllowedError("This server is strict: a notebook gives its agents no consents, so nothing was changed.")
    data_type, until = fields.text(body, "data_type", "data_type"), _micros(body, "until")
    request = GrantConsent(**about, data_type=data_type, granted_by=granted_by, until=until)
    return request, lambda granted: {"consent": _consent_body(granted), "revoked": 0}


def agents(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """The levels that agents were given within the session, and the session's own, above which none counts."""
    fields.known_only(body, ())
    state = ledger.read(ReadState(notebook=caller.notebook))
    if not state.active or state.session_id is None or state.trust_level is None:
        return {"session_level": None, "agents": []}
    given = ledger.read(ListTrust(realm=session_realm(state.session_id)))
    return {"session_level": int(state.trust_level), "agents": [_agent_body(assignment) for assignment in given]}


def consents(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """The consents within the session; of one agent where it is named, and with a data type the one that counts now."""
    fields.known_only(body, ("agent_id", "data_type", "purpose"))
    state = ledger.read(ReadState(notebook=caller.notebook))
    if not state.active or state.session_id is None:
        return {"consents": []}
    realm = session_realm(state.session_id)
    agent_id = fields.optional_text(body, "agent_id", "agent id")
    data_type = fields.optional_text(body, "data_type", "data_type")
    if data_type is None:
        found = ledger.read(ListConsents(agent_id=agent_id, realm=realm))
        return {"consents": [_consent_body(one) for one in found]}
    purpose = fields.optional_text(body, "purpose", "purpose")
    agent = agent_id or state.agent_id or ""
    counts = ledger.read(FindConsent(agent_id=agent, data_type=data_type, purpose=purpose, realm=realm))
    return {"consents": [] if counts is None else [_consent_body(counts)]}


def budgets(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """The envelopes of the session's categories, by name."""
    fields.known_only(body, ("category",))
    category = fields.optional_text(body, "category", "category")
    found = ledger.read(ListBudgets(notebook=caller.notebook, category=category))
    return {"budgets": [budget_body(state) for state in found]}


def audit(ledger: Ledger, caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the notebook's records, and how many match where that is asked."""
    fields.known_only(
        body, (*_AUDIT_TEXTS, "limit", "outcome", "since", "until", "oldest_first", "decisions", "cursor", "count")
    )
    filters: dict[str, Any] = {
        "notebook": caller.notebook,
        "outcome": _outcome(body.get("outcome")),
        "since": _micros(body, "since"),
        "until": _micros(body, "until"),
        "decisions": fields.flag(body, "decisions"),
        **{name: fields.optional_text(body, name, name) for name in _AUDIT_TEXTS},
    }
    oldest_first = fields.flag(body, "oldest_first")
    page = ledger.read(
        AuditQuery(
            **filters,
            limit=fields.whole(body, "limit", default=10, least=1, most=1_000),
            cursor=fields.optional_text(body, "cursor", "cursor"),
            oldest_first=oldest_first,
        )
    )
    records = page.records if oldest_first else tuple(reversed(page.records))
    total = ledger.read(CountAudit(**filters)) if fields.flag(body, "count") else None
    return {"records": [audit_body(entry) for entry in records], "cursor": page.cursor, "total": total}


def budget_body(state: BudgetState) -> dict[str, Any]:
    """A category's figures in its current period; ``period_start`` is null where it has no period."""
    balance = state.balance
    return {
        "category": state.category,
        "period": state.period.value,
        "period_start": time_text(state.period_start) if state.period_start else None,
        "limit": money.to_text(balance.limit),
        "spent": money.to_text(balance.spent),
        "held": money.to_text(balance.held),
        "remaining": money.to_text(balance.remaining),
        "over": money.to_text(balance.over),
        "charges": state.charges,
    }


def _agent_body(assignment: TrustAssignment) -> dict[str, Any]:
    return {
        "agent_id": assignment.agent_id,
        "scope": assignment.scope,
        "level": int(assignment.level),
        "assigned_by": assignment.assigned_by,
        "assigned_at": time_text(assignment.assigned_at),
    }


def _consent_body(consent: Consent) -> dict[str, Any]:
    return {
        "agent_id": consent.agent_id,
        "data_type": consent.data_type,
        "purpose": consent.purpose,
        "granted_by": consent.granted_by,
        "granted_at": time_text(consent.granted_at),
        "expires_at": None if consent.expires_at is None else time_text(consent.expires_at),
    }


def _outcome(raw: object) -> GovernanceOutcome | None:
    if raw is None:
        return None
    for outcome in GovernanceOutcome:
        if raw == outcome.value:
            return outcome
    known = ", ".join(outcome.value for outcome in GovernanceOutcome)
    raise InvalidRequestError(f"The outcome must be one of {known}, not {str(raw)[:40]!r}.")


def _micros(body: Mapping[str, Any], name: str) -> int | None:
    raw = body.get(name)
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int) or abs(raw) > _MOST_MICROS:
        raise InvalidRequestError(f"The {name} must be a whole number of microseconds since the epoch.")
    return raw


DECIDED: Final[dict[str, Callable[[Caller, SessionTerms, Ask], Decided]]] = {
    "evaluate": evaluate,
    "trust": trust,
    "budget": budget,
    "consent": consent,
}
"""The ops that are one request to the ledger."""
READ: Final[dict[str, Callable[[Ledger, Caller, Mapping[str, Any]], dict[str, Any]]]] = {
    "agents": agents,
    "budgets": budgets,
    "consents": consents,
    "audit": audit,
}
"""The ops that only read it."""
