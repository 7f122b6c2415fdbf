"""Functions that close the sessions of kernels without a notebook when the kernels have ended."""

from __future__ import annotations

from ...ledger.contract.facts import NotebookKey, Origin
from ...ledger.contract.ledger import Ledger
from ...ledger.contract.queries import ListNotebooks, ReadState
from ...ledger.contract.requests import CloseSession
from ...ledger.contract.terms import SessionTerms
from ..identity.notebook_map import KERNEL_PATH, NotebookMap


def close_kernel(ledger: Ledger, notebook: NotebookKey) -> None:
    """Submit the close of an ended kernel's session. Its holds stay open until they are settled or released."""
    ledger.submit(CloseSession(key="", origin=Origin("server"), notebook=notebook, terms=SessionTerms()))


def close_left(ledger: Ledger, notebooks: NotebookMap) -> None:
    """Close the sessions of kernels without a notebook that a killed server left open.

    Must be called before this server has kernels, and only if no other server uses the ledger.
    """
    for notebook in ledger.read(ListNotebooks(owner=notebooks.owner)):
        ours = notebook.root == notebooks.root and notebook.path.startswith(KERNEL_PATH)
        if ours and ledger.read(ReadState(notebook=notebook)).active:
            close_kernel(ledger, notebook)
