"""The end of the governance sessions of kernels without a document.

Such a session belongs to one kernel, so the server closes it when the kernel has ended.
"""

from __future__ import annotations

from ...ledger.contract.facts import NotebookKey, Origin
from ...ledger.contract.ledger import Ledger
from ...ledger.contract.queries import ListNotebooks, ReadState
from ...ledger.contract.requests import CloseSession
from ...ledger.contract.terms import SessionTerms
from ..identity.notebook_map import KERNEL_PATH, NotebookMap


def close_kernel(ledger: Ledger, notebook: NotebookKey) -> None:
    """Have the ledger close the session of a kernel that has ended, without waiting for the ledger.

    The session's holds stay open until they are settled or released.
    """
    ledger.submit(CloseSession(key="", origin=Origin("server"), notebook=notebook, terms=SessionTerms()))


def close_left(ledger: Ledger, notebooks: NotebookMap) -> None:
    """Close the sessions of kernels without a document that an earlier server left open because it was killed.

    Must be called before this server has kernels, and only if no other server uses the ledger.
    """
    for notebook in ledger.read(ListNotebooks(owner=notebooks.owner)):
        ours = notebook.root == notebooks.root and notebook.path.startswith(KERNEL_PATH)
        if ours and ledger.read(ReadState(notebook=notebook)).active:
            close_kernel(ledger, notebook)
