"""How an action ended, which the settlement or the release of its hold may name along."""

from __future__ import annotations

from .. import money
from ..ledger.contract.base import FinishReport
from ..wire.operations import REPORTED
from ..wire.protocol import Ask
from .callers import Caller, origin_of

__all__ = ["finish_request"]


def finish_request(caller: Caller, ask: Ask) -> FinishReport | None:
    """The report of it; None where the request names none. Raises InvalidRequestError for what cannot be one."""
    body = ask.body
    if body.get("report_id") is None and body.get("result") is None:
        return None
    reported = REPORTED.read(body)
    spent = money.to_text(money.parse(body["amount"])) if "amount" in body else None
    return FinishReport(
        key=f"{ask.id}/report", origin=origin_of(caller, ask), notebook=caller.notebook, spent=spent, **reported
    )
