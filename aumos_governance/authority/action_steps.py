"""The steps that decide a governed action, i.e. an action with effects beyond the notebook, such as sending mail.

The ledger decides, within its transaction, whether an action runs, is only suggested, or needs a user's approval. This
module has the steps around that decision, the same for the SDK's engine and for a server. It does no input or output:
its caller executes the requests that the steps yield, and gets the user's decision.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from .. import money
from ..errors import InvalidRequestError
from ..ledger.contract.agreements import Approval, ApprovalStatus, AskApproval, FileReport
from ..ledger.contract.charges import Hold
from ..ledger.contract.facts import Decision
from ..ledger.contract.requests import Request
from ..types import ActionKind, TrustLevel

MOST_SHOWN: Final = 50_000
"""The most characters that the JSON description of one action may have. A user would not read more before approving,
and the ledger stores no longer descriptions."""


@dataclass(frozen=True, slots=True)
class ApprovalNeeded:
    """Yielded by the steps when a user must approve or deny the action.

    The caller must wait for the user's decision, and send the decided `Approval` back to the steps. A caller that stops
    waiting must withdraw the approval request.
    """

    approval: Approval


ActionSteps: TypeAlias = Generator[Request[Any] | ApprovalNeeded, Any, Decision]
"""A generator that yields requests for its caller to execute in the ledger, or `ApprovalNeeded`. The caller passes each
result back with ``send``. The generator returns the decision about the action."""


def action_steps(
    holding: Hold, shown: Mapping[str, Any], *, until: int | None = None, wait: bool = True
) -> ActionSteps:
    """Return the steps that decide a governed action: it is allowed, only suggested, or denied.

    If the action is allowed, its amount is held. ``holding`` is the request for this hold. ``shown`` is the description
    of the action that the user sees, as JSON values. ``until`` is the time when an approval request expires, in
    microseconds since the epoch. With ``wait=False`` no approval is requested, and an action that needs an approval is
    denied.

    The first request has the idempotency key of ``holding``. The later requests have this key with ``/ask`` or ``/act``
    appended, so that repeated steps have the same result; an empty key stays empty. Raises InvalidRequestError if
    ``shown`` is not JSON or is too long.
    """
    text = shown_text(shown)
    digest = digest_of(holding, shown)
    decision: Decision = yield replace(holding, kind=ActionKind.ACT, approval_id=None, digest=digest, waits=wait)
    if decision.code != "APPROVAL_REQUIRED" or not wait:
        return decision
    approval: Approval = yield AskApproval(
        key=_further(holding.key, "ask"),
        origin=holding.origin,
        expires_at=holding.expires_at,
        notebook=holding.notebook,
        digest=digest,
        shown=text,
        tool=holding.tool,
        agent_id=holding.agent_id,
        amount=holding.amount,
        until=until,
    )
    approval = yield ApprovalNeeded(approval)
    if approval.status is not ApprovalStatus.APPROVED:
        code, reason = _refusal(approval)
        return replace(decision, code=code, reasons=(reason,))
    # The budget or the level may have changed before the user decided, so the ledger decides again. The expiry is
    # removed, since the request arrived in time and may have expired during the wait.
    decision = yield replace(
        holding,
        key=_further(holding.key, "act"),
        expires_at=None,
        kind=ActionKind.ACT,
        approval_id=approval.approval_id,
        digest=digest,
    )
    return decision


def digest_of(holding: Hold, shown: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of everything that a user approves, so that nothing can be exchanged later.

    It covers the description ``shown``, and the tool, cost, category, agent and required level of ``holding``. It does
    not cover the notebook, since the notebook may be renamed while the approval is pending.
    """
    agreed = {
        "tool": holding.tool,
        "amount": money.to_text(holding.amount),
        "category": holding.category,
        "agent_id": holding.agent_id,
        "required_level": int(holding.required_level),
        "shown": shown,
    }
    return hashlib.sha256(_json(agreed).encode()).hexdigest()


def shown_text(shown: Mapping[str, Any]) -> str:
    """Return the description of an action as JSON text.

    Raises InvalidRequestError for a value without a JSON type, and for text of more than `MOST_SHOWN` characters.
    """
    text = _json(shown)
    if len(text) > MOST_SHOWN:
        raise InvalidRequestError(
            f"The description of a governed action, which includes its code, must have at most {MOST_SHOWN} characters,"
            f" but this one has {len(text)}; shorten it, for example by moving code into a function that another cell"
            " defines."
        )
    return text


def is_reported(decision: Decision) -> bool:
    """Whether an action with this decision must be reported to the user, since it is allowed at trust level L4."""
    return decision.allowed and decision.level is TrustLevel.L4_ACT_REPORT


def report_request(
    holding: Hold, decision: Decision, shown: Mapping[str, Any], result: str | None, *, key: str
) -> FileReport:
    """Return the request that files the report of an action, which the user can then review.

    - ``holding``: the request for the action's hold.
    - ``decision``: the decision that allowed the action.
    - ``shown``: the description of the action, as JSON values.
    - ``result``: the text that says how the action ended; None while it runs.
    - ``key``: the idempotency key of the returned request; "" for none.
    """
    return FileReport(
        key=key,
        origin=holding.origin,
        notebook=holding.notebook,
        shown=_json({**shown, "result": result}),
        tool=holding.tool,
        agent_id=holding.agent_id,
        charge_id=decision.charge_id,
    )


def _refusal(approval: Approval) -> tuple[str, str]:
    if approval.status is ApprovalStatus.DENIED:
        return "APPROVAL_DENIED", f"{approval.decided_by} denied it"
    until, ended = approval.until, approval.decided_at
    if until is not None and ended is not None and ended >= until:
        return "APPROVAL_TIMEOUT", "No decision in time"
    return "APPROVAL_WITHDRAWN", "The approval request was withdrawn"


def _further(key: str, step: str) -> str:
    return f"{key}/{step}" if key else ""


def _json(value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(
            f"The description of a governed action, which the user sees, must consist of JSON values ({error})."
        ) from None
