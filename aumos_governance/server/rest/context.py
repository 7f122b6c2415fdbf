"""The objects of the server extension that the functions behind the REST routes use."""

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
    """The objects that the functions behind the REST routes of one server use. All methods except `key` may block."""

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
        """Returns the entries of ``GET kernels``."""
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
        """Whether the server has a gateway, and so may have keys of the gateway."""
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
        """Return the notebook whose governance session applies to the document at ``path``; it does not block.

        If the document was just renamed, the ledger may not know the notebook's path yet; see `place`.
        """
        return self._notebooks.place(path).notebook

    def place(self, path: str) -> Place:
        """Return the notebook whose governance session applies to the document at ``path``.

        Before, wait until the ledger has executed all known renames of files.
        """
        self.settle()
        return self._notebooks.place(path)

    def on_loop(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run a coroutine on the server's loop, wait for it, and return its result.

        Must be called in another thread than the loop's.
        """
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def under(self) -> tuple[str, str] | None:
        """Return the owner and the root folder whose records the users of this server may see.

        Returns None if they may see the whole ledger, since no other user's server can use it.
        """
        return (self.owner, self.root) if self.settings.shared else None

    def within(self, query: AuditFiltersT) -> AuditFiltersT:
        """Return a query with a filter that leaves out the records that users of this server may not see."""
        under = self.under()
        return query if under is None else replace(query, under=under)
