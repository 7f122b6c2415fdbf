"""In which order calls that wait for their turn are tried: first come, first served, at each limit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from ..ledger.contract.charges import Charging
from ..ledger.contract.facts import Limit, NotebookKey
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ListEnvelopes
from ..ledger.rules.files import file_of

__all__ = ["Line", "Lines", "in_order", "line_at", "own_line"]

Line: TypeAlias = tuple[str, ...]
"""A limit at which calls wait: its kind, its name, and whose it is."""
_OF_OWNER: Final = frozenset({"owner", "server"})


def own_line(notebook: NotebookKey) -> Line:
    """The line at the budget of the notebook's session."""
    return "session", "", notebook.owner, file_of(notebook.root, notebook.path)


def line_at(limit: Limit, notebook: NotebookKey) -> Line:
    """The line at the limit that a call of this notebook did not fit in."""
    return _line(limit.kind, limit.name, notebook)


class Lines:
    """The lines in which calls stand. It decides nothing but an order: whether a call fits, the ledger decides."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._around: dict[Line, frozenset[Line]] = {}
        """By the line at a session's own budget: those at the ceilings around it."""

    def of(self, notebook: NotebookKey, request: Charging) -> frozenset[Line]:
        """The lines at all limits that this request must fit in. Reads the ledger for a notebook that is new here."""
        own = own_line(notebook)
        around = self._around.get(own)
        if around is None:
            found = self._ledger.read(ListEnvelopes(notebook=notebook))
            around = frozenset(_line(envelope.kind, envelope.name, notebook) for envelope in found)
            self._around[own] = around
        category = () if request.category is None else (_line("category", request.category, notebook),)
        return frozenset((own, *category, *around))

    def forget(self) -> None:
        """Read anew which ceilings are around a notebook, when it is needed next."""
        self._around.clear()


def in_order(calls: Iterable[tuple[frozenset[Line], Line | None]]) -> list[bool]:
    """Of each of these calls, in the order in which they came, whether it may be tried now.

    Each has its lines, and the line in which it waits; None where it was not tried yet. A call is not tried before an
    earlier one that waits in one of its lines.
    """
    occupied: set[Line] = set()
    free = []
    for lines, waits_in in calls:
        is_free = occupied.isdisjoint(lines)
        free.append(is_free)
        if is_free:
            occupied.update(lines if waits_in is None else (waits_in,))
    return free


def _line(kind: str, name: str, notebook: NotebookKey) -> Line:
    if kind == "session":
        return own_line(notebook)
    if kind in ("category", "notebook"):
        return kind, name, notebook.owner, file_of(notebook.root, notebook.path)
    return (kind, name, notebook.owner) if kind in _OF_OWNER else (kind, name)
