"""What the functions of the REST routes work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from ...errors import NotFoundError
from ...gateway.key_requests import KeyRequests
from ...ledger.contract.facts import NotebookKey
from ...ledger.contract.queries import AuditFilters
from ...service.limit_requests import LimitRequests
from ...service.records import Records
from ...service.service import NotebookService
from ...service.waiting import Waiting
from ..identity.rooms import Place, Rooms
from ..settings.settings import Settings

__all__ = ["Context"]

ResultT = TypeVar("ResultT")
AuditFiltersT = TypeVar("AuditFiltersT", bound=AuditFilters)


class Context:
    """The parts of the server extension that requests get their responses with; all methods but `key` may block."""

    def __init__(
        self,
        service: NotebookService,
        rooms: Rooms,
        settings: Settings,
        settle: Callable[[], None],
        kernels: Callable[[], list[dict[str, Any]]] = list,
        contents: Any = None,
        loop: asyncio.AbstractEventLoop | None = None,
        keys: KeyRequests | None = None,
        gateway: dict[str, Any] | None = None,
    ) -> None:
        self.service = service
        self.settings = settings
        self.settle = settle
        """Waits until all known moves of files are in the ledger."""
        self.kernels = kernels
        """The bodies of all kernels."""
        self.contents = contents
        """The server's contents manager, to be called in its loop."""
        self._loop = loop
        self._keys = keys
        self.gateway = gateway
        """The body that describes the gateway; None where there is none."""
        self.waiting = Waiting(service.ledger, rooms.owner, rooms.root)
        self.limit_requests = LimitRequests(service.ledger, service.limit_waits)
        self.records = Records(service.ledger)
        self.owner = rooms.owner
        """The user whose notebooks the server serves."""
        self.root = rooms.root
        self._rooms = rooms

    @property
    def has_gateway(self) -> bool:
        """Whether the server has a gateway, and so keys."""
        return self._keys is not None

    @property
    def keys(self) -> KeyRequests:
        """The gateway's keys; raises NotFoundError where there is no gateway."""
        if self._keys is None:
            raise NotFoundError(
                "This server has no gateway, so there are no keys: an administrator configures one with"
                " GovernanceExtension.providers.",
                "NO_GATEWAY",
            )
        return self._keys

    def key(self, path: str) -> NotebookKey:
        """The notebook whose records those of ``path`` are."""
        return self._rooms.place(path).notebook

    def place(self, path: str) -> Place:
        """Where the governance of ``path`` is kept, once all known moves of files are in the ledger."""
        self.settle()
        return self._rooms.place(path)

    def on_loop(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Have this done in the server's loop, and give what came of it."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def under(self) -> tuple[str, str] | None:
        """The owner and root whose records alone are shown here; None: all of the ledger's."""
        return (self.owner, self.root) if self.settings.shared else None

    def within(self, query: AuditFiltersT) -> AuditFiltersT:
        """The query, confined to what is shown here."""
        under = self.under()
        return query if under is None else replace(query, under=under)
