"""The preparation of the ledger when a server starts, before any kernel sends a request."""

from __future__ import annotations

import logging

from ..ledger.contract.budgets import ConfigureEnvelopes, EnvelopeSpec
from ..ledger.contract.charges import KernelsPresent
from ..ledger.contract.facts import Origin
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ListCeilings, ListNotebooks
from ..ledger.contract.requests import JoinNotebooks
from .identity.documents import Documents
from .identity.notebook_map import NotebookMap
from .kernels.kernel_sessions import close_left
from .rest.ceilings import difference_sentence, differences


def prepare_ledger(
    ledger: Ledger,
    envelopes: tuple[EnvelopeSpec, ...],
    documents: Documents,
    notebooks: NotebookMap,
    server: str,
    log: logging.Logger,
) -> None:
    """Store this server's configuration of ceilings in the ledger, and end what earlier servers left open.

    Sessions of kernels without a document are closed, and holds of kernels that are gone become unresolved. ``server``
    is the name under which this server has opened the ledger. A configured ceiling that differs from the one in the
    ledger is logged, and the ledger's stays.
    """
    _rename_known(ledger, documents, notebooks.owner)
    if not ledger.attending() - {server}:
        close_left(ledger, notebooks)
    # Also executed if no envelopes are configured, so that the envelopes of an earlier configuration end.
    ledger.execute(
        ConfigureEnvelopes(
            key="", origin=Origin("server"), owner=notebooks.owner, root=notebooks.root, envelopes=envelopes
        )
    )
    ceilings = ledger.read(ListCeilings(owner=notebooks.owner))
    for difference in differences(envelopes, ceilings):
        log.warning("AumOS Governance: %s", difference_sentence(difference))
    # Holds of an earlier server's kernels become unresolved, for a user to settle. Holds of other servers of this root
    # folder that still run are left alone.
    others = tuple(sorted(ledger.attending() - {server}))
    ledger.execute(
        KernelsPresent(key="", origin=Origin("server"), owner=notebooks.owner, root=notebooks.root, servers=others)
    )


def _rename_known(ledger: Ledger, documents: Documents, owner: str) -> None:
    """Give notebooks in the ledger their files' paths if earlier versions recorded them by paths of symbolic links."""
    renamed = ((known, documents.renamed(known)) for known in ledger.read(ListNotebooks(owner=owner)))
    pairs = tuple((known, new) for known, new in renamed if new is not None)
    if pairs:
        ledger.execute(JoinNotebooks(key="", origin=Origin("server"), pairs=pairs))
