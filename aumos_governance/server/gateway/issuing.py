"""All that issues and revokes keys in a server: for its kernels, its terminals and its users."""

from __future__ import annotations

import logging
from typing import Any

from ...gateway.key_requests import KeyRequests
from ...gateway.keys import GatewayKeys
from ...gateway.process_environment import ProcessEnvironment
from ...ledger.contract.facts import NotebookKey
from ...service.service import NotebookService
from ..identity.rooms import Rooms, clean_path
from ..kernels.kernel_keys import KernelKeys
from .terminal_keys import TerminalKeys

__all__ = ["Issuing"]


class Issuing:
    """The parts, put together. ``server`` is the name under which the server attends the ledger."""

    def __init__(
        self,
        service: NotebookService,
        rooms: Rooms,
        environment: ProcessEnvironment,
        *,
        server: str,
        log: logging.Logger,
    ) -> None:
        self.keys = GatewayKeys(
            service.ledger,
            rooms.owner,
            rooms.root,
            notebook_of=rooms.notebook_of,
            cells=service.cells,
            server=server,
            log=log,
        )
        self.kernels = KernelKeys(self.keys, environment)
        self._terminals = TerminalKeys(self.keys, environment)

        def place(path: str) -> NotebookKey:
            return rooms.place(clean_path(path)).notebook

        self.requests = KeyRequests(self.keys, service, environment, owner=rooms.owner, root=rooms.root, place=place)

    def follow_terminals(self, serverapp: Any) -> None:
        """Give the server's terminals keys, where it has any; once all extensions are loaded."""
        manager = serverapp.web_app.settings.get("terminal_manager")
        if manager is not None:
            self._terminals.follow(manager)

    def stop(self) -> None:
        """The kernels and terminals of this server are gone; may block, and comes before the ledger is closed."""
        self.keys.stop()
        self.keys.revoke_server()
