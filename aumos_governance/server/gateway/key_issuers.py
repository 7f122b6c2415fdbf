"""The parts of a server that issue and revoke the gateway's keys: for kernels, terminals and users' programs."""

from __future__ import annotations

import logging
from typing import Any

from ...gateway.key_requests import KeyRequests
from ...gateway.keys import GatewayKeys
from ...gateway.process_environment import ProcessEnvironment
from ...ledger.contract.facts import NotebookKey
from ...service.service import NotebookService
from ..identity.notebook_map import NotebookMap, clean_path
from ..kernels.kernel_keys import KernelKeys
from .terminal_keys import TerminalKeys


class KeyIssuers:
    """The objects that issue and revoke the gateway's keys in one server.

    The attribute ``keys`` has all valid keys. ``kernels`` issues the keys of kernels, and ``requests`` those that users
    create over REST. Terminals get keys only after `follow_terminals` was called. The parameter ``server`` is the name
    under which this server is registered as running in the ledger.
    """

    def __init__(
        self,
        service: NotebookService,
        notebooks: NotebookMap,
        environment: ProcessEnvironment,
        *,
        server: str,
        log: logging.Logger,
    ) -> None:
        self.keys = GatewayKeys(
            service.ledger,
            notebooks.owner,
            notebooks.root,
            notebook_of=notebooks.notebook_of,
            cells=service.cells,
            server=server,
            log=log,
        )
        self.kernels = KernelKeys(self.keys, environment)
        self._terminals = TerminalKeys(self.keys, environment)

        def place(path: str) -> NotebookKey:
            return notebooks.place(clean_path(path)).notebook

        self.requests = KeyRequests(
            self.keys, service, environment, owner=notebooks.owner, root=notebooks.root, place=place
        )

    def follow_terminals(self, serverapp: Any) -> None:
        """Issue a key to each terminal that is opened from now on, if the server has terminals.

        Must be called after all extensions of the server are loaded, since one of them manages the terminals.
        """
        manager = serverapp.web_app.settings.get("terminal_manager")
        if manager is not None:
            self._terminals.follow(manager)

    def stop(self) -> None:
        """Revoke the keys of this server's kernels and terminals, which ended with the server; may block.

        Keys of users' own programs stay valid. Must be called before the ledger is closed.
        """
        self.keys.stop()
        self.keys.revoke_server()
