"""Which notebook with an open governance session was active last: the one that a new terminal's calls count in."""

from __future__ import annotations

import threading
from typing import Final

from ..ledger.contract.facts import NotebookKey, SessionState
from ..ledger.contract.keys import KEY_PATH
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ListStates

__all__ = ["ActiveNotebooks"]

_PAGE: Final = 1_000
_NO_NOTEBOOK: Final = ("kernel:", KEY_PATH)


class ActiveNotebooks:
    """The open sessions of one owner and root, by their last change. Each method may be called from any thread."""

    def __init__(self, owner: str, root: str) -> None:
        self._place = (owner, root)
        self._lock = threading.Lock()
        # By session and not by path, which a rename changes.
        self._open: dict[str, NotebookKey] = {}

    def load(self, ledger: Ledger) -> None:
        """Take the sessions that are open now; which of them was active last is not known, so the newest counts."""
        found: list[SessionState] = []
        after = ""
        while page := ledger.read(ListStates(owner=self._place[0], root=self._place[1], after=after, limit=_PAGE)):
            found += page
            after = page[-1].notebook.path
        self.take(tuple(sorted(found, key=lambda state: state.opened_at or 0)))

    def take(self, states: tuple[SessionState, ...]) -> bool:
        """Take in changed states, oldest first; returns whether a session was opened, closed or renamed."""
        with self._lock:
            before = dict(self._open)
            for state in states:
                notebook = state.notebook
                if (notebook.owner, notebook.root) != self._place or notebook.path.startswith(_NO_NOTEBOOK):
                    continue
                # A notebook has one open session at most; one that it had before is closed.
                for session_id in [id for id, known in self._open.items() if known == notebook]:
                    del self._open[session_id]
                if state.session_id is not None:
                    self._open.pop(state.session_id, None)
                    if state.active:
                        self._open[state.session_id] = notebook
            return self._open != before

    def last(self) -> NotebookKey | None:
        """The notebook that was active last; None where no session is open."""
        with self._lock:
            return next(reversed(self._open.values()), None)
