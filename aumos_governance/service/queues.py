"""The order of the calls that wait for their turn: at each limit, they are requested in the order of their arrival.

A call may be subject to several limits: the budget of its session, that of its category, and the ceilings around the
session. There is one queue for each limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from ..ledger.contract.charges import Charging
from ..ledger.contract.facts import Limit, NotebookKey
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ListEnvelopes
from ..ledger.rules.files import file_of

Queue: TypeAlias = tuple[str, ...]
"""The identifier of the queue at one limit: the limit's kind and name, then its owner, then its notebook file.

A limit that several owners share has no owner here, and only the limits of one notebook have a file.
"""
_OF_OWNER: Final = frozenset({"owner", "server"})


def session_queue(notebook: NotebookKey) -> Queue:
    """Return the queue at the budget of the notebook's session."""
    return "session", "", notebook.owner, file_of(notebook.root, notebook.path)


def limit_queue(limit: Limit, notebook: NotebookKey) -> Queue:
    """Return the queue at a limit that a call of ``notebook`` exceeded."""
    return _queue(limit.kind, limit.name, notebook)


class Queues:
    """Finds the queues of a notebook's calls, and remembers them.

    Queues only determine the order in which calls are requested; the ledger decides on each call.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._around: dict[Queue, frozenset[Queue]] = {}
        """The remembered queues at the ceilings around each session; the key is the queue at the session's budget."""

    def of(self, notebook: NotebookKey, request: Charging) -> frozenset[Queue]:
        """Return the queues at all limits that apply to a request of this notebook.

        The first time for each notebook, this reads the notebook's ceilings from the ledger.
        """
        own = session_queue(notebook)
        around = self._around.get(own)
        if around is None:
            found = self._ledger.read(ListEnvelopes(notebook=notebook))
            around = frozenset(_queue(envelope.kind, envelope.name, notebook) for envelope in found)
            self._around[own] = around
        category = () if request.category is None else (_queue("category", request.category, notebook),)
        return frozenset((own, *category, *around))

    def forget(self) -> None:
        """Forget the ceilings around each notebook, so that they are read from the ledger when they are next needed."""
        self._around.clear()


def in_order(calls: Iterable[tuple[frozenset[Queue], Queue | None]]) -> list[bool]:
    """Return, for each queued call, whether it may be requested from the ledger now.

    ``calls`` are in the order of their arrival. Each is a pair: the queues at all limits of the call, and the queue at
    the limit that it last exceeded, or None if the ledger has not refused it yet. A call may be requested if no earlier
    call blocks one of its queues. It then blocks for later calls the queue at the limit that it exceeded or, with None,
    all its queues.
    """
    occupied: set[Queue] = set()
    free = []
    for queues, waits_in in calls:
        is_free = occupied.isdisjoint(queues)
        free.append(is_free)
        if is_free:
            occupied.update(queues if waits_in is None else (waits_in,))
    return free


def _queue(kind: str, name: str, notebook: NotebookKey) -> Queue:
    if kind == "session":
        return session_queue(notebook)
    if kind in ("category", "notebook"):
        return kind, name, notebook.owner, file_of(notebook.root, notebook.path)
    return (kind, name, notebook.owner) if kind in _OF_OWNER else (kind, name)
