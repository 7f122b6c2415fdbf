"""Translates between an engine's actions and the wire protocol: bodies of requests, and decisions from responses.

`NotebookEngine` uses these functions; they send nothing themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ... import money
from ...audit.record import detail_of
from ...authority.actions import decision_of, result_of, shown_of, tool_of
from ...authority.authorization import AsyncGrant, Grant, Granted, Settlement
from ...engine import GovernanceAction, GovernanceDecision
from ...errors import GovernanceDeniedError
from ...realm import to_level
from ...wire.bodies import DECISION, RESOLUTION
from ...wire.denials import Denial
from ...wire.operations import OPERATIONS, REFUSED


class _Reported:
    """Adds to a grant what is needed to report the action to the user, as the trust level L4 requires."""

    report_id: str | None = None
    """The id of the report about the action that the user gets; None if the action is not reported."""
    result: str | None = None
    """How the action ended, as the report states it, for example ``failed: ValueError``; None to derive it from the
    settlement."""


class NotebookGrant(_Reported, Grant):
    """A `Grant` by a notebook's engine, with the fields for a report to the user."""


class AsyncNotebookGrant(_Reported, AsyncGrant):
    """An `AsyncGrant` by a notebook's engine, with the fields for a report to the user."""


# ---- requests


def check_body(action: GovernanceAction) -> dict[str, Any]:
    """Return the body of the request ``evaluate``, which checks an action without charging it.

    Raises ValueError if the action is not valid.
    """
    amount = None if action.budget_amount is None else _amount(action)
    return OPERATIONS["evaluate"].request.body(amount=amount, **_about(action))


def refusal_body(action: GovernanceAction, code: str, reason: str) -> dict[str, Any]:
    """Return the body of the request ``evaluate`` that records that the kernel itself refused an action.

    ``code`` is the refusal's code for programs, and ``reason`` a sentence for users.
    """
    return {**check_body(action), "refused": REFUSED.body(code=code, reason=reason, tool=action.tool)}


def hold_body(action: GovernanceAction) -> dict[str, Any]:
    """Return the body of the request ``hold``, which holds the worst case of a paid call.

    Raises ValueError if the action is not valid.
    """
    return OPERATIONS["hold"].request.body(amount=_amount(action), tool=tool_of(action), **_about(action))


def action_body(action: GovernanceAction) -> dict[str, Any]:
    """Return the body of the request ``authorize`` for a governed action, with the fields that the user is shown."""
    tool, amount = tool_of(action), _amount(action)
    shown = shown_of(action, tool, amount)
    return OPERATIONS["authorize"].request.body(amount=amount, tool=tool, shown=shown, **_about(action))


def ending_request(grant: Granted, cost: int | None, *, estimated: bool) -> tuple[str, dict[str, Any]] | None:
    """Return the operation and body of the request that ends a grant: with a cost it settles, with None it releases.

    ``cost`` is in nano-USD, and ``estimated`` states whether it is an estimate. Returns None if no request is needed,
    since nothing was held and nothing was paid.
    """
    if grant.hold_id is None:
        if not cost:
            return None
        # Nothing was held and the amount is paid already, so it is recorded in full.
        action = grant.decision.action
        return "spend", OPERATIONS["spend"].request.body(
            amount=cost,
            tool=tool_of(action),
            already_paid=True,
            agent_id=action.agent_id or None,
            category=action.budget_category or None,
            note="estimated" if estimated else None,
        )
    report_id, result = getattr(grant, "report_id", None), None
    if report_id is not None:
        result = getattr(grant, "result", None) or result_of(cost, estimated)
    if cost is None:
        return "release", OPERATIONS["release"].request.body(hold_id=grant.hold_id, report_id=report_id, result=result)
    return "settle", OPERATIONS["settle"].request.body(
        hold_id=grant.hold_id,
        amount=cost,
        estimated=estimated,
        reference=grant.reference if estimated else None,
        report_id=report_id,
        result=result,
    )


def _about(action: GovernanceAction) -> dict[str, Any]:
    level = action.required_trust_level
    detail = detail_of(action)
    # The body has it as "category", which the ledger records.
    detail.pop("budget_category", None)
    return {
        "agent_id": action.agent_id or None,
        "required_level": None if level is None else to_level(level, "required_trust_level"),
        "scope": action.scope or None,
        "category": action.budget_category or None,
        "action_type": action.action_type or None,
        "resource": action.resource or None,
        "data_type": action.data_type,
        "purpose": action.purpose or None,
        "detail": detail,
    }


def _amount(action: GovernanceAction) -> int:
    amount = action.budget_amount
    return 0 if amount is None else money.parse(amount, what="budget_amount")


# ---- responses


def read_decision(action: GovernanceAction, response: Mapping[str, Any]) -> GovernanceDecision:
    """Return the decision on ``action`` that the body of a response states."""
    return decision_of(action, DECISION.read(response["decision"]))


def require_allowed(
    action: GovernanceAction, response: Mapping[str, Any], *, in_panel: bool = False
) -> GovernanceDecision:
    """Return the decision that the body of a response states, if it allows the action.

    If it denies the action, this raises GovernanceDeniedError, whose message states what the user can do. ``in_panel``
    is whether the user can change the session in JupyterLab's panel.
    """
    decision = read_decision(action, response)
    if decision.allowed:
        return decision
    raw = response["decision"]
    state: Mapping[str, Any] = response.get("state") or {}
    reason, remaining = decision.reasons[-1], state.get("remaining")
    limit = decision.limit
    own = limit is not None and limit.kind == "session" and remaining is not None
    denial = Denial(
        raw["code"],
        decision.reasons,
        raw["tool"] or tool_of(action),
        money.parse(raw["amount"]),
        money.parse(remaining) if own else None,
        None if limit is None else limit.kind,
        _user(state.get("set_by")),
        in_panel,
    )
    raise GovernanceDeniedError(
        action.agent_id or state.get("agent_id"),
        reason,
        decision.audit_record_id,
        message=denial.sentence(_advice(action, decision)),
        denial_code=raw["code"],
    )


def read_settlement(grant: Granted, response: Mapping[str, Any] | None, *, estimated: bool) -> Settlement:
    """Return the settlement of a grant from the response to the request that `ending_request` made.

    ``response`` is None if no request was needed. Raises GovernanceDeniedError if the response is a denial.
    """
    if response is None:
        return Settlement(money.to_decimal(0), money.to_decimal(0), False, grant.decision.audit_record_id, estimated)
    if "decision" in response:
        spent = DECISION.read(response["decision"])
        if not spent.allowed:
            raise GovernanceDeniedError(grant.decision.action.agent_id, spent.reasons[-1], spent.record_id)
        return Settlement(
            money.to_decimal(spent.amount), money.to_decimal(0), spent.overrun, spent.record_id, estimated
        )
    done = RESOLUTION.read(response["resolution"])
    return Settlement(
        money.to_decimal(done.spent), money.to_decimal(done.held), done.overrun, done.record_id, done.estimated
    )


def _user(set_by: str | None) -> str | None:
    return None if set_by in ("kernel", "server") else set_by


def _advice(action: GovernanceAction, decision: GovernanceDecision) -> str | None:
    category, limit = action.budget_category, decision.limit
    if limit is None:
        return None
    if decision.code == "BUDGET_EXCEEDED" and limit.kind == "category" and limit.name == category:
        return f"a user can raise it with notebook_engine().budget.set_limit({category!r}, limit)"
    if decision.code == "BUDGET_NOT_FOUND":
        return f"make one with notebook_engine().budget.create_budget({category!r}, limit)"
    if limit.kind == "agent":
        return "a user can raise its level with notebook_engine().trust.set_level(agent_id, level)"
    return None
