"""Who hears of committed changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..contract.facts import SessionState
from ..contract.ledger import Listener

__all__ = ["Listeners"]

_log = logging.getLogger(__name__)


class Listeners:
    """A set of listeners; one that raises is logged and does not keep the others from hearing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Start to tell ``listener``; the answer ends it."""

        # A list of its own object, so that one listener added twice is ended once at a time.
        def tell(states: tuple[SessionState, ...]) -> None:
            listener(states)

        with self._lock:
            self._listeners = (*self._listeners, tell)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not tell)

        return end

    def tell(self, states: tuple[SessionState, ...]) -> None:
        if not states:
            return
        for listener in self._listeners:
            try:
                listener(states)
            except Exception:  # noqa: BLE001 - whatever it raises, the others are told
                _log.exception("A listener of the governance ledger failed.")
