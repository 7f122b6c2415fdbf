"""The setting ``autostart``: a governance session for each notebook that never had one, as soon as its kernel runs."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ...ledger.contract.queries import ReadState
from ...ledger.contract.terms import SessionTerms
from ...service.callers import Caller
from ...service.service import NotebookService
from ..identity.notebook_map import NotebookMap
from .readers import Readers


class FirstSessions:
    """Opens the first governance session of each notebook of a server. Methods are called on the server's loop.

    ``settle`` waits until the ledger has executed all renames; it is called in a thread of ``readers``. ``terms`` are
    the trust level, budget and limits of the sessions; None for the service's terms.
    """

    def __init__(
        self,
        service: NotebookService,
        notebooks: NotebookMap,
        readers: Readers,
        settle: Callable[[], None],
        terms: SessionTerms | None,
        log: logging.Logger,
    ) -> None:
        self._service = service
        self._notebooks = notebooks
        self._readers = readers
        self._settle = settle
        self._terms = terms
        self._log = log
        self._opened: dict[str, set[str]] = {}
        """The paths of the notebooks, by the id of the kernel for which each was opened or found open."""

    def open_first_session(self, kernel_id: str) -> None:
        """Open a session for the notebook of this kernel, unless the notebook has or had one; do not wait for it.

        A kernel without a document gets none. Further calls for the same kernel and notebook do nothing.
        """
        notebook = self._notebooks.notebook_of(kernel_id)
        opened = self._opened.setdefault(kernel_id, set())
        if not self._notebooks.has_path(kernel_id) or notebook.path in opened:
            return
        opened.add(notebook.path)
        caller = Caller(notebook=notebook, scope=f"kernel:{kernel_id}")
        self._readers.of(kernel_id).submit(self._open, caller)

    def forget(self, kernel_id: str) -> None:
        """Forget a kernel that has ended."""
        self._opened.pop(kernel_id, None)

    def _open(self, caller: Caller) -> None:
        try:
            self._settle()
            if self._service.ledger.read(ReadState(notebook=caller.notebook)).session_id is None:
                self._service.opened_by_server(caller, self._terms)
        except Exception as error:  # noqa: BLE001 - this thread has no other handler
            self._log.error(
                "GovernanceExtension.autostart could not open a governance session for %s: %s",
                caller.notebook.path,
                error,
            )
