"""The sessions of kernels that are no notebook's: each ends with its kernel."""

from __future__ import annotations

from ...ledger.contract.facts import NotebookKey, Origin
from ...ledger.contract.ledger import Ledger
from ...ledger.contract.queries import ListNotebooks, ReadState
from ...ledger.contract.requests import CloseSession
from ...ledger.contract.terms import SessionTerms
from ..identity.rooms import KERNEL_PATH, Rooms

__all__ = ["close_kernel", "close_left"]


def close_kernel(ledger: Ledger, notebook: NotebookKey) -> None:
    """Close the session of a kernel that is gone; waits for nothing. What it holds keeps counting."""
    ledger.submit(CloseSession(key="", origin=Origin("server"), notebook=notebook, terms=SessionTerms()))


def close_left(ledger: Ledger, rooms: Rooms) -> None:
    """Close what a server left that was killed. Only for one that is alone on its ledger: it has no kernels yet."""
    for notebook in ledger.read(ListNotebooks(owner=rooms.owner)):
        ours = notebook.root == rooms.root and notebook.path.startswith(KERNEL_PATH)
        if ours and ledger.read(ReadState(notebook=notebook)).active:
            close_kernel(ledger, notebook)
