"""The objects that the functions of the REST routes use."""

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
from ..identity.notebook_map import NotebookMap, Place
from ..settings.settings import Settings

ResultT = TypeVar("ResultT")
AuditFiltersT = TypeVar("AuditFiltersT", bound=AuditFilters)


class Context:
    """The parts of the server extension that the functions of REST routes use. All methods except `key` may block."""

    def __init__(
        self,
        service: NotebookService,
        notebooks: NotebookMap,
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
        """Waits until the ledger has executed all known renames of files."""
        self.kernels = kernels
        """Returns the bodies of all kernels."""
        self.contents = contents
        """The server's contents manager, which must be called on the server's loop."""
        self._loop = loop
        self._keys = keys
        self.gateway = gateway
        """The gateway's description for ``GET config``; None without a gateway."""
        self.waiting = Waiting(service.ledger, notebooks.owner, notebooks.root)
        self.limit_requests = LimitRequests(service.ledger, service.limit_waits)
        self.records = Records(service.ledger)
        self.owner = notebooks.owner
        """The user whose notebooks the server serves."""
        self.root = notebooks.root
        self._notebooks = notebooks

    @property
    def has_gateway(self) -> bool:
        """Whether the server has a gateway. Without a gateway there are no keys."""
        return self._keys is not None

    @property
    def keys(self) -> KeyRequests:
        """The handler of requests about the gateway's keys. Raises NotFoundError if the server has no gateway."""
        if self._keys is None:
            raise NotFoundError(
                "This server has no gateway, so there are no keys: an administrator configures one with"
                " GovernanceExtension.providers.",
                "NO_GATEWAY",
            )
        return self._keys

    def key(self, path: str) -> NotebookKey:
        """Return the notebook under which the ledger keeps the governance of ``path``."""
        return self._notebooks.place(path).notebook

    def place(self, path: str) -> Place:
        """Wait for known renames of files, and return the notebook that governs ``path``."""
        self.settle()
        return self._notebooks.place(path)

    def on_loop(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run a coroutine on the server's loop, and return its result."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def under(self) -> tuple[str, str] | None:
        """Return the owner and root folder of this server if its users may see only the records of these.

        Return None if users may see the whole ledger, since no other user's server can share it.
        """
        return (self.owner, self.root) if self.settings.shared else None

    def within(self, query: AuditFiltersT) -> AuditFiltersT:
        """Return the query restricted to the records that users of this server may see."""
        under = self.under()
        return query if under is None else replace(query, under=under)
