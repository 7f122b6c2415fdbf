"""Keeps count of the open holds of one server, without asking the ledger more than once a second."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from concurrent.futures import Executor
from typing import Final

from ...errors import AumOSGovernanceError
from ...ledger.contract.facts import SessionState
from ...ledger.contract.ledger import Ledger
from ...ledger.contract.queries import ListHolds
from ...ledger.rules.cursors import MAX_PAGE
from .metrics import HOLD_STATES, HoldCounts

__all__ = ["OpenHolds"]

_SPACING: Final = 1.0
"""Seconds from a change to the count that has it, so that a burst of changes is counted once."""


class OpenHolds:
    """Counts when it is made and after what changes; while nothing changes it does nothing."""

    def __init__(
        self,
        ledger: Ledger,
        owner: str,
        root: str,
        *,
        loop: asyncio.AbstractEventLoop,
        workers: Executor,
        log: logging.Logger,
    ) -> None:
        self._ledger = ledger
        self._owner = owner
        self._root = root
        self._loop = loop
        self._workers = workers
        self._log = log
        self._awaited = False
        self.counts = HoldCounts()
        self._count()

    def offer(self, states: tuple[SessionState, ...]) -> None:
        """Something changed; from any thread, without waiting."""
        if self._awaited:
            return
        self._awaited = True
        try:
            self._loop.call_soon_threadsafe(self._loop.call_later, _SPACING, self._begin)
        except RuntimeError:
            # The loop is closed: nobody reads the metrics any more.
            return

    def _begin(self) -> None:
        try:
            self._workers.submit(self._count)
        except RuntimeError:
            # The server is stopping.
            return

    def _count(self) -> None:
        # What changes from here on is counted again.
        self._awaited = False
        found: Counter[str] = Counter()
        after = ""
        try:
            while True:
                page = self._ledger.read(ListHolds(owner=self._owner, root=self._root, after=after, limit=MAX_PAGE))
                found.update(hold.state.value for hold in page)
                if len(page) < MAX_PAGE:
                    break
                after = page[-1].charge_id
        except AumOSGovernanceError as error:
            self._log.warning("The open holds could not be counted: %s", error)
            return
        self.counts.by_state = {state: found[state] for state in HOLD_STATES}
