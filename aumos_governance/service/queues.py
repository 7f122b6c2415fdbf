"""The order of the calls that wait for their turn: at each limit, they are requested in the order of their arrival."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from ..ledger.contract.charges import Charging
from ..ledger.contract.facts import Limit, NotebookKey
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ListEnvelopes
from ..ledger.rules.files import file_of

Queue: TypeAlias = tuple[str, ...]
"""The calls that wait at one limit, identified by the limit's kind and name, and its owner and file, if any."""
_OF_OWNER: Final = frozenset({"owner", "server"})


def session_queue(notebook: NotebookKey) -> Queue:
    """Return the queue at the budget of the notebook's session."""
    return "session", "", notebook.owner, file_of(notebook.root, notebook.path)


def limit_queue(limit: Limit, notebook: NotebookKey) -> Queue:
    """Return the queue at a limit that a call of this notebook exceeded."""
    return _queue(limit.kind, limit.name, notebook)


class Queues:
    """The queues of each notebook's calls. They only determine an order; the ledger decides on each call."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._around: dict[Queue, frozenset[Queue]] = {}
        """The queues at the ceilings around a session, by the queue at the session's own budget."""

    def of(self, notebook: NotebookKey, request: Charging) -> frozenset[Queue]:
        """Return the queues at all limits of a request; reads the ledger for a notebook that is not known yet."""
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
    """Return for each call whether it may be requested now. The calls are in the order of their arrival.

    Each call is a pair: all its queues, and the queue that it waits in, or None if the ledger has not refused it yet. A
    call may be requested if no earlier call blocks one of its queues. It then blocks for later calls the queue that it
    waits in or, with None, all its queues.
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
