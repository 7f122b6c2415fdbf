"""The operation ``evaluate``: a kernel's request to check an action, or to record an action that the kernel refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from ..errors import InvalidRequestError
from ..ledger.contract.agreements import Evaluate, Record
from ..ledger.contract.audit_facts import Recorded
from ..ledger.contract.facts import Decision
from ..ledger.contract.requests import Request
from ..ledger.contract.terms import SessionTerms
from ..types import GovernanceOutcome
from ..wire import fields
from ..wire.operations import OPERATIONS, REFUSED
from ..wire.protocol import WireRequest
from .callers import Caller, request_of

Decided: TypeAlias = tuple[Request[Any], Callable[[Any], dict[str, Any]]]
"""A ledger request to execute, and the function that makes the client's response body from the ledger's response."""
_CODE: Final = re.compile(r"[A-Z][A-Z_]{0,63}")


def evaluate(caller: Caller, terms: SessionTerms, wire_request: WireRequest) -> Decided:
    """Return the ledger request for an ``evaluate``, and the function that makes its response.

    An ``evaluate`` checks whether an action would be allowed or, with the field ``refused``, records that the kernel
    itself refused one. It charges nothing.
    """
    operation = OPERATIONS["evaluate"]
    request: Evaluate = request_of(operation, caller, wire_request)
    if wire_request.body.get("refused") is not None:
        return _refusal(request, fields.members(wire_request.body, "refused"))
    return request, operation.response.write


def _refusal(checked: Evaluate, raw: Mapping[str, Any]) -> Decided:
    # Always recorded as a denial, so that a kernel cannot record an allowance of its own.
    refused = REFUSED.read(raw)
    code, reason, tool = refused["code"], refused["reason"], refused["tool"]
    if _CODE.fullmatch(code) is None:
        raise InvalidRequestError(
            f"A refusal's code must be capital letters and underscores, such as PRICE_UNKNOWN, not {code[:40]!r}."
        )
    category = checked.category
    request = Record(
        key=checked.key,
        origin=checked.origin,
        expires_at=checked.expires_at,
        notebook=checked.notebook,
        event="evaluate",
        outcome=GovernanceOutcome.DENY,
        code=code,
        reasons=(reason,),
        agent_id=checked.agent_id or None,
        tool=tool,
        action_type=checked.action_type,
        resource=checked.resource,
        detail={**checked.detail, **({} if category is None else {"category": category})},
    )

    def response(recorded: Recorded) -> dict[str, Any]:
        denied = Decision(GovernanceOutcome.DENY, (reason,), recorded.record_id, 0, tool or "", code)
        return OPERATIONS["evaluate"].response.write(denied)

    return request, response
