"""A charge in two phases as a kernel asks for it: a hold, and then its settlement or release."""

from __future__ import annotations

import math
from typing import Any, Final

from .. import money
from ..errors import InvalidRequestError
from ..ledger.base import Decision, Hold, Release, Resolved, Settle
from ..protocol import Ask
from ..types import ActionKind, TrustLevel
from . import wishes
from .bodies import decision_body, resolution_body, state_body
from .callers import Caller, expiry_of, origin_of

__all__ = ["held_answer", "hold_request", "release_request", "resolved_answer", "settle_request"]

_MICROS: Final = 1_000_000


def hold_request(caller: Caller, ask: Ask) -> Hold:
    """Raises InvalidRequestError or InvalidAmountError for what cannot be held."""
    body = ask.body
    wishes.known_only(body, ("amount", "tool", "kind", "required_level", "category", "until"))
    required = wishes.optional_level(body, "required_level")
    return Hold(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        notebook=caller.notebook,
        amount=_amount(ask, "A hold"),
        tool=wishes.optional_text(body, "tool", "tool") or "unknown",
        kind=_kind(body.get("kind")),
        required_level=TrustLevel.L1_MONITOR if required is None else required,
        category=wishes.optional_text(body, "category", "category"),
        until=_until(body.get("until")),
    )


def settle_request(caller: Caller, ask: Ask) -> Settle:
    """Raises InvalidRequestError or InvalidAmountError for what cannot be a settlement."""
    wishes.known_only(ask.body, ("hold_id", "amount", "estimated"))
    return Settle(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        hold_id=wishes.text(ask.body, "hold_id", "hold's id"),
        amount=_amount(ask, "A settlement"),
        estimated=wishes.flag(ask.body, "estimated"),
    )


def release_request(caller: Caller, ask: Ask) -> Release:
    """Raises InvalidRequestError for what names no hold."""
    wishes.known_only(ask.body, ("hold_id",))
    return Release(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        hold_id=wishes.text(ask.body, "hold_id", "hold's id"),
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


def _amount(ask: Ask, what: str) -> int:
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
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not math.isfinite(raw) or abs(raw) > 1e12:
        raise InvalidRequestError("A hold's until must be a number of seconds since the epoch.")
    return int(raw * _MICROS)
