"""Charges whose commit is in doubt: looked up when the database responds again, and taken back if they are there.

Their callers got no confirmation, so none of them may go on counting.
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

__all__ = ["Doubts"]

_log = logging.getLogger(__name__)

_SOONEST: Final = 0.25
_LATEST: Final = 15.0
"""Seconds between two looks: the first comes soon, since mostly it is a connection that was lost and no server."""
_ORIGIN: Final = Origin("ledger")


class Doubts:
    """What is in doubt now. ``submit`` hands a request to the ledger's writer."""

    def __init__(self, submit: Callable[[Request[Any]], Future[Any]]) -> None:
        self._submit = submit
        self._lock = threading.Lock()
        self.charges: dict[str, Unconfirmed] = {}
        """By their ids."""
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def __bool__(self) -> bool:
        return bool(self.charges)

    def add(self, requests: Sequence[Request[Any]], outcomes: Sequence[Any]) -> None:
        """Note the requests whose callers get no confirmation; ``outcomes`` is what was decided."""
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
                name = "aumos-governance-doubts"
                self._thread = threading.Thread(target=self._look, name=name, daemon=True)
                self._thread.start()

    def current(self, beside: Sequence[Request[Any]]) -> tuple[Unconfirmed, ...]:
        """What is to be taken back, but for what is requested again with the same keys in the same transaction."""
        again = {(request.origin.scope, request.key) for request in beside if request.key}
        with self._lock:
            return tuple(doubt for doubt in self.charges.values() if (doubt.scope, doubt.key) not in again)

    def confirm(self, requests: Sequence[Request[Any]], outcomes: Sequence[Any]) -> None:
        """These requests were committed and confirmed to their callers: they are in doubt no longer."""
        with self._lock:
            for request, outcome in zip(requests, outcomes, strict=True):
                if isinstance(request, TakeBack):
                    for doubt in request.charges:
                        self.charges.pop(doubt.charge_id, None)
                elif isinstance(outcome, Decision) and outcome.charge_id is not None:
                    self.charges.pop(outcome.charge_id, None)

    def end(self) -> None:
        """Stop looking. What is still in doubt ends with the holds of kernels that are gone."""
        self._ended.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        if self.charges:
            _log.warning("The ledger was closed before it was known whether %d charges were stored.", len(self.charges))

    def _look(self) -> None:
        pause = _SOONEST
        while not self._ended.wait(pause):
            try:
                self._submit(TakeBack(key="", origin=_ORIGIN, charges=())).result()
            except LedgerError:
                pause = min(pause * 2, _LATEST)
            with self._lock:
                if not self.charges:
                    self._thread = None
                    return
