"""What a kernel has checked, or tells that it refused itself, as requests and bodies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from .. import money
from ..errors import InvalidRequestError
from ..ledger.contract.agreements import Evaluate, Record
from ..ledger.contract.audit_facts import Recorded
from ..ledger.contract.facts import Decision
from ..ledger.contract.requests import Request
from ..ledger.contract.terms import SessionTerms
from ..types import GovernanceOutcome, TrustLevel
from ..wire import fields
from ..wire.bodies import decision_body
from ..wire.protocol import Ask
from .callers import Caller, expiry_of, origin_of

__all__ = ["Decided", "evaluate"]

Decided: TypeAlias = tuple[Request[Any], Callable[[Any], dict[str, Any]]]
"""A request to the ledger, and what makes its answer a body."""
_FIELDS: Final = (
    *("agent_id", "required_level", "scope", "category", "amount", "action_type", "resource", "data_type", "purpose"),
    *("detail", "refused"),
)
_CODE: Final = re.compile(r"[A-Z][A-Z_]{0,63}")


def evaluate(caller: Caller, terms: SessionTerms, ask: Ask) -> Decided:
    """A check, or the record of what the kernel's own side refused; neither charges anything."""
    body = ask.body
    fields.known_only(body, _FIELDS)
    if body.get("refused") is not None:
        return _refusal(caller, ask, fields.members(body, "refused"))
    request = Evaluate(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        notebook=caller.notebook,
        agent_id=fields.optional_text(body, "agent_id", "agent id") or "",
        required_level=fields.optional_level(body, "required_level"),
        scope=fields.optional_text(body, "scope", "scope"),
        category=fields.optional_text(body, "category", "category"),
        amount=None if body.get("amount") is None else money.parse(body["amount"]),
        action_type=fields.optional_text(body, "action_type", "action_type"),
        resource=fields.optional_text(body, "resource", "resource"),
        data_type=fields.optional_text(body, "data_type", "data_type"),
        purpose=fields.optional_text(body, "purpose", "purpose"),
        detail=fields.members(body, "detail"),
        default_level=TrustLevel.L5_AUTONOMOUS,
        realm=None,
    )

    def answer(decision: Decision) -> dict[str, Any]:
        return {"decision": decision_body(decision)}

    return request, answer


def _refusal(caller: Caller, ask: Ask, refused: Mapping[str, Any]) -> Decided:
    # Only ever a denial: what a kernel says of itself allows nothing.
    fields.known_only(refused, ("code", "reason", "tool"))
    code, body = fields.text(refused, "code", "code"), ask.body
    if _CODE.fullmatch(code) is None:
        raise InvalidRequestError("A refusal's code is one word of capitals and underscores, as PRICE_UNKNOWN.")
    reason, tool = fields.text(refused, "reason", "reason"), fields.optional_text(refused, "tool", "tool")
    category = fields.optional_text(body, "category", "category")
    request = Record(
        key=ask.id,
        origin=origin_of(caller, ask),
        expires_at=expiry_of(ask),
        notebook=caller.notebook,
        event="evaluate",
        outcome=GovernanceOutcome.DENY,
        code=code,
        reasons=(reason,),
        agent_id=fields.optional_text(body, "agent_id", "agent id"),
        tool=tool,
        action_type=fields.optional_text(body, "action_type", "action_type"),
        resource=fields.optional_text(body, "resource", "resource"),
        detail={**fields.members(body, "detail"), **({} if category is None else {"category": category})},
    )

    def answer(recorded: Recorded) -> dict[str, Any]:
        denied = Decision(GovernanceOutcome.DENY, (reason,), recorded.record_id, 0, tool or "", code)
        return {"decision": decision_body(denied)}

    return request, answer
