"""What the server's Prometheus endpoint says of governance.

The figures are the process's, as are the server's own: two servers in one process add up. No label has more values
than the protocol has words. Open holds are counted without asking the ledger more than once a second.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final
from weakref import WeakSet

from prometheus_client import Counter, Gauge, Histogram

from ...errors import AumOSGovernanceError
from ...ledger.contract.base import ChargeState, Ledger, ListHolds, SessionState
from ...ledger.rules.cursors import MAX_PAGE
from ...service.service import Reply
from ...types import GovernanceOutcome
from ...wire.protocol import OPS

__all__ = ["HOLD_STATES", "TRANSPORTS", "HoldCounts", "OpenHolds", "commit_done", "metered"]

TRANSPORTS: Final = ("socket", "comm")
HOLD_STATES: Final = (ChargeState.HELD.value, ChargeState.UNRESOLVED.value)

_ASKS: Final = Histogram(
    "aumos_governance_ask_duration_seconds",
    "From an ask of a kernel that was read to its answer; an authorize includes waiting for a person",
    ("op", "transport"),
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
_DECISIONS: Final = Counter(
    "aumos_governance_decisions", "Decisions that were answered to kernels, by their outcome", ("outcome",)
)
_COMMITS: Final = Histogram(
    "aumos_governance_commit_batch_size",
    "Requests that one commit of the ledger held",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
_HOLDS: Final = Gauge(
    "aumos_governance_open_holds", "Holds that count: held by a kernel, or unresolved since it is gone", ("state",)
)


class _Observed(dict[tuple[str, str], Callable[[float], None]]):
    def __missing__(self, label: tuple[str, str]) -> Callable[[float], None]:
        # Of an operation that was added since.
        return self.setdefault(label, _ASKS.labels(*label).observe)


# Looked up once, for a label is found under a lock and each ask would pay for it; and there from the start, so that a
# rate is known before the first one.
_observe: Final = _Observed({(op, way): _ASKS.labels(op, way).observe for op in OPS for way in TRANSPORTS})
_count: Final = {outcome.value: _DECISIONS.labels(outcome.value).inc for outcome in GovernanceOutcome}
commit_done: Final[Callable[[int], None]] = _COMMITS.observe
"""Told how many requests a commit held."""


class HoldCounts:
    """How many holds of one server are open, by state; part of the metrics until `close`."""

    def __init__(self) -> None:
        self.by_state = dict.fromkeys(HOLD_STATES, 0)
        _counts.add(self)

    def close(self) -> None:
        _counts.discard(self)


_counts: Final[WeakSet[HoldCounts]] = WeakSet()


def _total(state: str) -> Callable[[], float]:
    return lambda: float(sum(counts.by_state[state] for counts in tuple(_counts)))


for _state in HOLD_STATES:
    _HOLDS.labels(_state).set_function(_total(_state))


def metered(op: str, transport: str, reply: Reply) -> Reply:
    """A reply to an ask of this op, which began now, that counts the answer when it is on its way."""
    began = time.perf_counter()

    def counted(answer: dict[str, Any]) -> None:
        reply(answer)
        if "waiting" in answer:
            return
        _observe[op, transport](time.perf_counter() - began)
        decision = answer.get("decision")
        if decision is not None:
            _count[decision["outcome"]]()

    return counted


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
        found = dict.fromkeys(HOLD_STATES, 0)
        after = ""
        try:
            while True:
                page = self._ledger.read(ListHolds(owner=self._owner, root=self._root, after=after, limit=MAX_PAGE))
                for hold in page:
                    found[hold.state.value] += 1
                if len(page) < MAX_PAGE:
                    break
                after = page[-1].charge_id
        except AumOSGovernanceError as error:
            self._log.warning("The open holds could not be counted: %s", error)
            return
        self.counts.by_state = found
