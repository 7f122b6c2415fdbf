"""The reversal of charges whose commit was not confirmed, because the connection or the disk failed during the commit.

The callers of these charges got an error, so the amounts must not stay charged. As soon as the database responds again,
each of these charges that was committed is reversed.
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
"""The longest pause between two attempts to reverse, in seconds. The first pause is short, since mostly only a
connection was lost, and the database still runs."""
_ORIGIN: Final = Origin("ledger")


class UnconfirmedCharges:
    """The charges of one ledger that are unconfirmed now, and the thread that tries to reverse them.

    The thread runs only while there are such charges. It passes its requests to ``submit``, which queues them for the
    ledger's writer.
    """

    def __init__(self, submit: Callable[[Request[Any]], Future[Any]]) -> None:
        self._submit = submit
        self._lock = threading.Lock()
        self.charges: dict[str, Unconfirmed] = {}
        """The unconfirmed charges, by the ids of the charges."""
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def __bool__(self) -> bool:
        return bool(self.charges)

    def add(self, requests: Sequence[Request[Any]], outcomes: Sequence[Any]) -> None:
        """Add the charges of a transaction whose commit was not confirmed, and start the thread that reverses them.

        ``requests`` are the transaction's requests. ``outcomes`` are its decisions, which the database may have stored.
        """
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
        """Return the unconfirmed charges that the next transaction must reverse, since their callers got an error.

        ``beside`` are the other requests of that next transaction. A charge that one of them requests again, with the
        same key, is left out: its caller now gets the stored decision, so the charge must stay.
        """
        again = {(request.origin.scope, request.key) for request in beside if request.key}
        with self._lock:
            return tuple(charge for charge in self.charges.values() if (charge.scope, charge.key) not in again)

    def confirm(self, requests: Sequence[Request[Any]], outcomes: Sequence[Any]) -> None:
        """Remove the charges that a confirmed transaction has made or reversed, so that they are not reversed again.

        ``requests`` are the transaction's requests, and ``outcomes`` their responses or errors.
        """
        with self._lock:
            for request, outcome in zip(requests, outcomes, strict=True):
                if isinstance(request, TakeBack):
                    for charge in request.charges:
                        self.charges.pop(charge.charge_id, None)
                elif isinstance(outcome, Decision) and outcome.charge_id is not None:
                    self.charges.pop(outcome.charge_id, None)

    def end(self) -> None:
        """Stop the thread, when the ledger is closed. Charges that are still unconfirmed are logged.

        If such a hold was committed, its outcome becomes unknown when its kernel ends, and a user must resolve it.
        """
        self._ended.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        if self.charges:
            _log.warning(
                "The ledger was closed before it was known whether %d charges were stored, whose callers got an error;"
                " look for them in the audit trail.",
                len(self.charges),
            )

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
