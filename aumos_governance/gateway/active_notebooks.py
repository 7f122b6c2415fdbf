"""Finds the notebook to charge the calls of a new terminal to: the one whose open governance session changed last."""

from __future__ import annotations

import threading
from typing import Final

from ..ledger.contract.facts import NotebookKey, SessionState
from ..ledger.contract.keys import KEY_PATH
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ListStates

_PAGE: Final = 1_000
_NO_NOTEBOOK: Final = ("kernel:", KEY_PATH)


class ActiveNotebooks:
    """The notebooks of one owner and one server's root folder that have an open session, the most recently active last.

    A notebook is active when the state of its session changes, for example by a charge. Kernels without a notebook and
    the documents of users' own keys are left out. Each method may be called from any thread.
    """

    def __init__(self, owner: str, root: str) -> None:
        self._place = (owner, root)
        self._lock = threading.Lock()
        # The keys are session ids and not paths, since a rename changes the path.
        self._open: dict[str, NotebookKey] = {}

    def load(self, ledger: Ledger) -> None:
        """Load from ``ledger`` the sessions that are open now; call it once, before `update`.

        The ledger does not record which session was active last, so the session that was opened last counts as the most
        recently active one.
        """
        found: list[SessionState] = []
        after = ""
        while page := ledger.read(ListStates(owner=self._place[0], root=self._place[1], after=after, limit=_PAGE)):
            found += page
            after = page[-1].notebook.path
        self.update(tuple(sorted(found, key=lambda state: state.opened_at or 0)))

    def update(self, states: tuple[SessionState, ...]) -> bool:
        """Note the sessions' changed ``states``, given oldest first, so that `last` returns the notebook of the newest.

        Returns whether a session was opened or closed, or its notebook was renamed.
        """
        with self._lock:
            before = dict(self._open)
            for state in states:
                notebook = state.notebook
                if (notebook.owner, notebook.root) != self._place or notebook.path.startswith(_NO_NOTEBOOK):
                    continue
                # A notebook has at most one open session, so any other known session of it is closed.
                for session_id in [id for id, known in self._open.items() if known == notebook]:
                    del self._open[session_id]
                if state.session_id is not None:
                    self._open.pop(state.session_id, None)
                    if state.active:
                        self._open[state.session_id] = notebook
            return self._open != before

    def last(self) -> NotebookKey | None:
        """Return the most recently active notebook; None if no session is open."""
        with self._lock:
            return next(reversed(self._open.values()), None)
