"""The audit records of what happens to calls that wait for a user at a limit on money."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Final

from ..ledger.contract.facts import Origin
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.limits import LimitEvent, RecordLimitRequest
from .waiting_calls import WaitingCall

_NOT_RECORDED: Final = (
    "The audit trail has no record (%s) of a call of %s that waits at a limit on money; the call itself goes on: %s"
)


class LimitRecords:
    """Adds records about waiting calls to the audit trail of a ledger; a failure is logged, and the calls go on."""

    def __init__(self, ledger: Ledger, log: logging.Logger) -> None:
        self._ledger = ledger
        self._log = log

    def add(self, call: WaitingCall, event: LimitEvent) -> None:
        """Record that a call began to wait, or stopped waiting without a decision."""
        self._submit(
            RecordLimitRequest(
                key="",
                origin=call.request.origin,
                notebook=call.caller.notebook,
                event=event,
                amount=call.least,
                needs=call.needs,
                limit=call.limit,
                tool=call.request.tool,
                agent_id=call.request.agent_id,
            )
        )

    def denied(self, user: Origin, calls: Sequence[WaitingCall]) -> None:
        """Record in one record that a user denied these calls of one notebook; there is at least one call."""
        self._submit(
            RecordLimitRequest(
                key="",
                origin=user,
                notebook=calls[0].caller.notebook,
                event=LimitEvent.DENIED,
                amount=sum(call.least for call in calls),
                count=len(calls),
            )
        )

    def _submit(self, request: RecordLimitRequest) -> None:
        def recorded(future: Future[Any]) -> None:
            error = future.exception()
            if error is not None:
                self._log.warning(_NOT_RECORDED, request.event.value, request.notebook.path, error)

        try:
            self._ledger.submit(request).add_done_callback(recorded)
        except Exception as error:  # noqa: BLE001 - the call must go on waiting without its record
            self._log.warning(_NOT_RECORDED, request.event.value, request.notebook.path, error)
