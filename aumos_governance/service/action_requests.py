"""A kernel's requests about a governed action, such as sending a mail: to authorise, report or cancel the action.

The functions read these requests and make ledger requests from them; `governed_actions` executes an ``authorize``.
"""

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
from ..wire.fields import MAX_TIME, is_number, shown
from ..wire.operations import OPERATIONS, REPORTED
from ..wire.protocol import WireRequest
from .callers import Caller, expiry_of, origin_of, request_of
from .waiting_calls import at_limit_of

_MOST_SECONDS: Final = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A validated ``authorize`` request: the action, its description for a user, and how long it may wait for one."""

    holding: Hold
    """The ledger request that holds the amount which the action may cost. The action runs only after this hold."""
    shown: Mapping[str, Any]
    """The description of the action that the user sees and approves, as JSON values."""
    seconds: float | None
    """The seconds that a user has to approve or deny the action; None for the server's default."""
    wait: bool
    """Whether the action may wait for a user's approval; if not, an action that needs an approval is denied."""
    at_limit: str | None = None
    """What happens if the action exceeds a limit on money: ``ask`` lets it wait for a user to raise the limit, ``deny``
    denies it, and None stands for the server's default."""

    @classmethod
    def read(cls, caller: Caller, wire_request: WireRequest) -> ActionRequest:
        """Read and validate a caller's ``authorize`` request.

        Raises InvalidRequestError or InvalidAmountError if one of its fields is invalid.
        """
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
        raise InvalidRequestError(f"An action's timeout must be a number of seconds, not {shown(raw)}.")
    if not 0 < raw <= _MOST_SECONDS:
        raise InvalidRequestError(
            f"An action's timeout must be more than 0 seconds and at most 604800, which is a week, not {raw}."
        )
    return float(raw)


def finish_request(caller: Caller, wire_request: WireRequest) -> FinishReport | None:
    """Return the ledger request that adds an action's result to its report, as a ``settle`` or ``release`` states it.

    Returns None if the request belongs to no report: it has neither ``report_id`` nor ``result``. Raises
    InvalidRequestError if only one of the two is present or if a field is invalid.
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
    """Return the outcome of cancelling an action, combined from the outcomes of cancelling its two possible holds.

    An action gets its hold at once, or by a second request after a user's approval. ``at_once`` is the outcome of
    cancelling the first request, ``after_approval`` that of cancelling the second. ``voided`` of the result states that
    the action has not begun and will not begin.
    """
    met = after_approval if after_approval.found in (Found.CHARGE, Found.RESOLVED, Found.NO_CHARGE) else at_once
    return replace(met, voided=met.voided or met.found is Found.NO_CHARGE, state=None)
