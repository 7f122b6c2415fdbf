"""A kernel's requests about a governed action: to authorise it, to report how it ended, and to cancel it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from .. import money
from ..errors import InvalidRequestError
from ..ledger.contract.agreements import FinishReport
from ..ledger.contract.charges import Hold
from ..ledger.contract.facts import Found, Voided
from ..types import ActionKind
from ..wire.fields import MAX_TIME, is_number
from ..wire.operations import OPERATIONS, REPORTED
from ..wire.protocol import WireRequest
from .callers import Caller, expiry_of, origin_of, request_of
from .waiting_calls import at_limit_of

_MOST_SECONDS: Final = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A validated ``authorize`` request: the action, its description for a user, and the time to decide."""

    holding: Hold
    """The hold that the action needs before it may run."""
    shown: Mapping[str, Any]
    """The description of the action that the user sees and approves."""
    seconds: float | None
    """The seconds that a user has to decide; None for the server's default."""
    wait: bool
    """Whether the action may wait for a user's approval; if not, an action that needs an approval is denied."""
    at_limit: str | None = None
    """``ask`` or ``deny``: whether the action waits for a user at a limit on money; None for the server's default."""

    @classmethod
    def read(cls, caller: Caller, wire_request: WireRequest) -> ActionRequest:
        """Return the action that ``caller`` requests; raises InvalidRequestError or InvalidAmountError."""
        values = request_of(OPERATIONS["authorize"], caller, wire_request)
        shown, timeout, wait, at_limit = (values.pop(name) for name in ("shown", "timeout", "wait", "at_limit"))
        if not isinstance(shown, Mapping):
            raise InvalidRequestError(
                "A governed action needs the field shown, an object with all that the user must see of it."
            )
        holding = Hold(
            key=wire_request.id,
            origin=origin_of(caller, wire_request),
            expires_at=expiry_of(wire_request),
            notebook=caller.notebook,
            kind=ActionKind.ACT,
            **values,
        )
        return cls(holding, shown, _seconds(timeout), wait, at_limit_of(at_limit))


def _seconds(raw: object) -> float | None:
    if raw is None:
        return None
    if not is_number(raw, MAX_TIME):
        raise InvalidRequestError("An action's timeout must be a number of seconds.")
    if not 0 < raw <= _MOST_SECONDS:
        raise InvalidRequestError(
            "An action's timeout must be more than 0 seconds, and at most 604800, which is a week."
        )
    return float(raw)


def finish_request(caller: Caller, wire_request: WireRequest) -> FinishReport | None:
    """Return the final report of an action from a ``settle`` or ``release``; None if the request has no report.

    Raises InvalidRequestError if a field of the report is invalid.
    """
    body = wire_request.body
    if body.get("report_id") is None and body.get("result") is None:
        return None
    reported = REPORTED.read(body)
    spent = money.to_text(money.parse(body["amount"])) if "amount" in body else None
    return FinishReport(
        key=f"{wire_request.id}/report",
        origin=origin_of(caller, wire_request),
        notebook=caller.notebook,
        spent=spent,
        **reported,
    )


def action_voided(after_approval: Voided, at_once: Voided) -> Voided:
    """Return the outcome of cancelling an action.

    An action gets its hold at once or after a user's approval, under different keys. ``at_once`` and ``after_approval``
    are the outcomes of cancelling under each key. ``voided`` of the result states that the action has not begun and
    will not begin.
    """
    met = after_approval if after_approval.found in (Found.CHARGE, Found.RESOLVED, Found.NO_CHARGE) else at_once
    return replace(met, voided=met.voided or met.found is Found.NO_CHARGE, state=None)
