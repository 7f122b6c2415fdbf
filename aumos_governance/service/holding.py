"""A charge in two phases as a kernel asks for it: a hold, and then its settlement or release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import money
from ..errors import InvalidRequestError
from ..ledger.contract.agreements import FinishReport
from ..ledger.contract.budgets import Adjusted, Resolved
from ..ledger.contract.charges import Adjust, Checks, Hold, Release, Settle
from ..ledger.contract.facts import Decision
from ..types import ActionKind, TrustLevel
from ..wire import fields
from ..wire.bodies import adjustment_body, decision_body, resolution_body, state_body
from ..wire.protocol import MAX_TIME, Ask, is_number
from .callers import Caller, expiry_of, origin_of

__all__ = [
    "CHARGE_FIELDS",
    "adjust_request",
    "adjusted_answer",
    "amount_of",
    "charge_of",
    "finish_request",
    "held_answer",
    "hold_request",
    "release_request",
    "resolved_answer",
    "settle_request",
]

CHARGE_FIELDS: Final = (
    *("tool", "required_level", "category", "agent_id", "action_type", "resource", "scope", "data_type", "purpose"),
    "detail",
)
"""What is said of a hold and of an act alike, beside the amount."""

_MICROS: Final = 1_000_000
_REPORT_FIELDS: Final = ("report_id", "result")


def hold_request(caller: Caller, ask: Ask) -> Hold:
    """Raises InvalidRequestError or InvalidAmountError for what cannot be held."""
    body = ask.body
    fields.known_only(body, (*CHARGE_FIELDS, "amount", "kind", "until"))
    return Hold(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        notebook=caller.notebook,
        amount=amount_of(ask, "A hold"),
        kind=_kind(body.get("kind")),
        until=_until(body.get("until")),
        **charge_of(body, TrustLevel.L1_MONITOR),
    )


def charge_of(body: Mapping[str, Any], least: TrustLevel) -> dict[str, Any]:
    """What a charge is for and who makes it; ``least`` is the level it needs where it names none."""
    required = fields.optional_level(body, "required_level")
    scope = fields.optional_text(body, "scope", "scope")
    category = fields.optional_text(body, "category", "category")
    data_type = fields.optional_text(body, "data_type", "data_type")
    checks = Checks(
        realm=None,
        scope=scope,
        default_level=TrustLevel.L5_AUTONOMOUS,
        data_type=data_type,
        purpose=fields.optional_text(body, "purpose", "purpose"),
    )
    return {
        "tool": fields.optional_text(body, "tool", "tool") or "unknown",
        "required_level": least if required is None else required,
        "category": category,
        "agent_id": fields.optional_text(body, "agent_id", "agent id"),
        "action_type": fields.optional_text(body, "action_type", "action_type"),
        "resource": fields.optional_text(body, "resource", "resource"),
        "detail": fields.members(body, "detail"),
        # With these a category that has no budget is a denial on record, and without one they would change nothing.
        "checks": None if scope is None and category is None and data_type is None else checks,
    }


def settle_request(caller: Caller, ask: Ask) -> Settle:
    """Raises InvalidRequestError or InvalidAmountError for what cannot be a settlement."""
    fields.known_only(ask.body, ("hold_id", "amount", "estimated", "reference", *_REPORT_FIELDS))
    return Settle(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        hold_id=fields.text(ask.body, "hold_id", "hold's id"),
        amount=amount_of(ask, "A settlement"),
        estimated=fields.flag(ask.body, "estimated"),
        reference=fields.optional_text(ask.body, "reference", "reference"),
    )


def release_request(caller: Caller, ask: Ask) -> Release:
    """Raises InvalidRequestError for what names no hold."""
    fields.known_only(ask.body, ("hold_id", *_REPORT_FIELDS))
    return Release(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        hold_id=fields.text(ask.body, "hold_id", "hold's id"),
    )


def adjust_request(caller: Caller, ask: Ask) -> Adjust:
    """Raises InvalidRequestError or InvalidAmountError for what cannot be an adjustment."""
    fields.known_only(ask.body, ("hold_id", "reference", "amount"))
    return Adjust(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        notebook=caller.notebook,
        charge_id=fields.optional_text(ask.body, "hold_id", "hold's id"),
        reference=fields.optional_text(ask.body, "reference", "reference"),
        amount=amount_of(ask, "An adjustment"),
    )


def finish_request(caller: Caller, ask: Ask) -> FinishReport | None:
    """How an act ended, which a settlement or a release may tell along; None where it tells nothing.

    Raises InvalidRequestError for what cannot be told.
    """
    if ask.body.get("report_id") is None and ask.body.get("result") is None:
        return None
    return FinishReport(
        key=f"{ask.id}/report",
        origin=origin_of(caller, ask),
        notebook=caller.notebook,
        report_id=fields.text(ask.body, "report_id", "report's id"),
        result=fields.text(ask.body, "result", "result"),
        spent=money.to_text(amount_of(ask, "A settlement")) if "amount" in ask.body else None,
    )


def held_answer(decision: Decision, shared_with: str | None) -> dict[str, Any]:
    """What a hold is answered; a denied one has no id."""
    state = decision.state
    return {
        "decision": decision_body(decision),
        "hold_id": decision.charge_id if decision.allowed else None,
        "state": None if state is None else state_body(state, shared_with=shared_with),
    }


def resolved_answer(resolved: Resolved, shared_with: str | None) -> dict[str, Any]:
    """What a settlement or a release is answered."""
    state = resolved.state
    return {
        "resolution": resolution_body(resolved),
        "state": None if state is None else state_body(state, shared_with=shared_with),
    }


def adjusted_answer(adjusted: Adjusted, shared_with: str | None) -> dict[str, Any]:
    """The response to an adjustment."""
    state = adjusted.state
    return {
        "adjustment": adjustment_body(adjusted),
        "state": None if state is None else state_body(state, shared_with=shared_with),
    }


def amount_of(ask: Ask, what: str) -> int:
    """The amount in nano-USD, 0 included. Raises InvalidRequestError without one, InvalidAmountError for none."""
    if "amount" not in ask.body:
        raise InvalidRequestError(f"{what} needs an amount in US dollars, for example 0.05; 0 is one.")
    return money.parse(ask.body["amount"])


def _kind(raw: object) -> ActionKind:
    if raw is None:
        return ActionKind.CALL
    for kind in ActionKind:
        if raw == kind.value:
            return kind
    raise InvalidRequestError(f"The kind must be call or act, not {str(raw)[:40]!r}.")


def _until(raw: object) -> int | None:
    if raw is None:
        return None
    if not is_number(raw, MAX_TIME):
        raise InvalidRequestError("A hold's until must be a number of seconds since the epoch.")
    return int(raw * _MICROS)
