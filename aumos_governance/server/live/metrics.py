"""The governance metrics of the server's Prometheus endpoint.

The metrics belong to the process, as Jupyter's own do, so the figures of two servers in one process add up. Labels only
have values that the protocol defines, so their number is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from weakref import WeakSet

from prometheus_client import Counter, Gauge, Histogram

from ...ledger.contract.budgets import ChargeState
from ...types import GovernanceOutcome
from ...wire.protocol import OPS

TRANSPORTS: Final = ("socket", "comm")
HOLD_STATES: Final = (ChargeState.HELD.value, ChargeState.UNRESOLVED.value)

_REQUESTS: Final = Histogram(
    "aumos_governance_ask_duration_seconds",
    "Seconds from reading a kernel's request to its response; those of authorize include the wait for a user",
    ("op", "transport"),
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
_DECISIONS: Final = Counter("aumos_governance_decisions", "Decisions sent to kernels, by their outcome", ("outcome",))
_COMMITS: Final = Histogram(
    "aumos_governance_commit_batch_size",
    "Number of requests in one commit of the ledger",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
_HOLDS: Final = Gauge(
    "aumos_governance_open_holds",
    "Open holds: held by a running kernel, or unresolved since their kernel has ended",
    ("state",),
)


class _Observers(dict[tuple[str, str], Callable[[float], None]]):
    """The functions that add a request's duration to its histogram, by operation and transport."""

    def __missing__(self, label: tuple[str, str]) -> Callable[[float], None]:
        # The operation was added after this module was imported.
        return self.setdefault(label, _REQUESTS.labels(*label).observe)


# Looked up once, since prometheus_client finds a label under a lock. All labels exist from the start, so that
# Prometheus can compute a rate before the first request.
observe_request: Final = _Observers(
    {(op, transport): _REQUESTS.labels(op, transport).observe for op in OPS for transport in TRANSPORTS}
)
"""For each operation and transport, the function to call with the seconds from a request to its response."""
count_decision: Final = {outcome.value: _DECISIONS.labels(outcome.value).inc for outcome in GovernanceOutcome}
commit_done: Final[Callable[[int], None]] = _COMMITS.observe
"""The function to call after each commit of the ledger, with the number of requests in it."""


class HoldCounts:
    """The numbers of one server's open holds, by their state. They are part of the process's metrics until `close`."""

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
