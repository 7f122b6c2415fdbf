"""Charges whose commit was not confirmed: if they were committed, they are reversed once the database responds again.

The callers of these charges got an error, so the amounts must not stay charged.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final

from ...errors import LedgerError
from ..contract.charges import Charging, TakeBack, Unconfirmed
from ..contract.facts import Decision, Origin
from ..contract.requests import Request

_log = logging.getLogger(__name__)

_SHORTEST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 15.0
"""The longest pause between two attempts, in seconds. The first pause is short, since mostly only a connection was
lost, and the server still runs."""
_ORIGIN: Final = Origin("ledger")


class UnconfirmedCharges:
    """The charges that are unconfirmed now, and the thread that reverses them.

    The thread passes its requests to ``submit``, which queues them for the ledger's writer.
    """

    def __init__(self, submit: Callable[[Request[Any]], Future[Any]]) -> None:
        self._submit = submit
        self._lock = threading.Lock()
        self.charges: dict[str, Unconfirmed] = {}
        """The unconfirmed charges, by their ids."""
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def __bool__(self) -> bool:
        return bool(self.charges)

    def add(self, requests: Sequence[Request[Any]], outcomes: Sequence[Any]) -> None:
        """Add the charges among these requests. Their callers get an error; ``outcomes`` are the ledger's decisions."""
        found = {}
        for request, outcome in zip(requests, outcomes, strict=True):
            if not isinstance(request, Charging) or not isinstance(outcome, Decision):
                continue
            charge_id, session_id = outcome.charge_id, None if outcome.state is None else outcome.state.session_id
            if charge_id is not None and session_id is not None:
                found[charge_id] = Unconfirmed(session_id, charge_id, request.origin.scope, request.key)
        if not found:
            return
        with self._lock:
            self.charges.update(found)
            if self._thread is None and not self._ended.is_set():
                name = "aumos-governance-unconfirmed"
                self._thread = threading.Thread(target=self._take_back, name=name, daemon=True)
                self._thread.start()

    def current(self, beside: Sequence[Request[Any]]) -> tuple[Unconfirmed, ...]:
        """Return the charges to reverse, without the charges that ``beside`` requests again with the same keys.

        ``beside`` are the requests in the same transaction.
        """
        again = {(request.origin.scope, request.key) for request in beside if request.key}
        with self._lock:
            return tuple(charge for charge in self.charges.values() if (charge.scope, charge.key) not in again)

    def confirm(self, requests: Sequence[Request[Any]], outcomes: Sequence[Any]) -> None:
        """Remove the charges of these requests, whose commit is confirmed, and the charges that they reversed."""
        with self._lock:
            for request, outcome in zip(requests, outcomes, strict=True):
                if isinstance(request, TakeBack):
                    for charge in request.charges:
                        self.charges.pop(charge.charge_id, None)
                elif isinstance(outcome, Decision) and outcome.charge_id is not None:
                    self.charges.pop(outcome.charge_id, None)

    def end(self) -> None:
        """Stop the thread. Holds that are still unconfirmed become unresolved when their kernel is gone."""
        self._ended.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        if self.charges:
            _log.warning("The ledger was closed before it was known whether %d charges were stored.", len(self.charges))

    def _take_back(self) -> None:
        pause = _SHORTEST_PAUSE
        while not self._ended.wait(pause):
            try:
                self._submit(TakeBack(key="", origin=_ORIGIN, charges=())).result()
            except LedgerError:
                pause = min(pause * 2, _LONGEST_PAUSE)
            with self._lock:
                if not self.charges:
                    self._thread = None
                    return
