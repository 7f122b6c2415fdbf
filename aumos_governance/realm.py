"""`Realm`, an SDK engine's access to its ledger.

All engines of one owner share the same part of a ledger: one governance session, and the trust levels and consents of
the owner's agents.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Final

from . import money
from .errors import InvalidRequestError
from .ledger import open_ledger
from .ledger.contract.facts import NotebookKey, Origin
from .ledger.contract.ledger import Ledger
from .ledger.contract.queries import Query
from .ledger.contract.requests import OpenSession, Request, ResponseT_co
from .ledger.contract.terms import SessionTerms
from .owner import owner as this_owner
from .types import TrustLevel

_PATH: Final = "engine"
# The session has the highest level and budget, so that it limits nothing: in an engine, agents have levels and
# categories have ceilings. If a user lowers the session's level or budget, that binds everything the engine does.
_TERMS: Final = SessionTerms(default_trust_level=TrustLevel.L5_AUTONOMOUS, default_budget=money.MAX_NANO)
_LEVELS: Final = tuple(TrustLevel)


class Realm:
    """The access of one engine and its managers to a ledger, in the name of an owner.

    Engines of one owner on one ledger share their state, across threads and processes. ``ledger`` is a ledger, a URL
    as for `ledger.open_ledger`, or None for a private ledger in memory. ``owner`` is the owner's name; None is the user
    of this process.
    """

    def __init__(self, ledger: Ledger | str | None = None, *, owner: str | None = None) -> None:
        self._owns_ledger = ledger is None or isinstance(ledger, str)
        self.ledger = open_ledger(ledger or "memory://") if ledger is None or isinstance(ledger, str) else ledger
        self.name = this_owner() if owner is None else owner
        """The name of the owner. In a ledger with several owners, it separates the agents of each."""
        self.notebook = NotebookKey(self.name, "", _PATH)
        # The same for all engines of this owner, so that an engine can settle the holds of an engine that has ended.
        self.origin = Origin("engine", scope=f"engine/{self.name}", incarnation=_PATH)
        self._lock = threading.Lock()
        self._opened = False

    def execute(self, request: Request[ResponseT_co]) -> ResponseT_co:
        """Execute a request of the ledger, wait until its changes are durable, and return its response.

        The first request opens the owner's session, or joins it if another engine has opened it. If a user closes the
        session, this object does not open another one: requests that need a session are denied.
        """
        if not self._opened:
            self._open()
        return self.ledger.execute(request)

    def submit(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        """Submit a request to the ledger and return the future of its response, which the ledger's thread may complete.

        As with `execute`, the first request opens or joins the owner's session.
        """
        if not self._opened:
            self._open()
        return self.ledger.submit(request)

    async def execute_async(self, request: Request[ResponseT_co]) -> ResponseT_co:
        """Execute a request like `execute`, but let the event loop run while a ledger on disk writes."""
        return await response_of(await self.submit_async(request))

    async def submit_async(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        """Submit a request like `submit`, but let the event loop run while the owner's session is opened."""
        if not self._opened:
            # Two tasks may both request this: the second request joins the session that the first one opened.
            await response_of(self.ledger.submit(self._opening()))
            self._opened = True
        return self.ledger.submit(request)

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        """Return the result of a query on the ledger's committed state."""
        return self.ledger.read(query)

    def close(self) -> None:
        """Close the ledger if this object opened it. The owner's session stays open for other and later engines."""
        if self._owns_ledger:
            self.ledger.close()

    def _open(self) -> None:
        with self._lock:
            if not self._opened:
                self.ledger.execute(self._opening())
                self._opened = True

    def _opening(self) -> OpenSession:
        return OpenSession(key="", origin=self.origin, notebook=self.notebook, terms=_TERMS)


async def response_of(future: Future[ResponseT_co]) -> ResponseT_co:
    """Await a ledger's response and return it.

    If the current task is cancelled, the request is cancelled as well, unless the ledger has begun to execute it.
    """
    # A ledger in memory has responded already, and awaiting would only cost one iteration of the event loop.
    return future.result() if future.done() else await asyncio.wrap_future(future)


def require_names(**names: object) -> None:
    """Raise InvalidRequestError (a ValueError) unless all arguments are non-empty strings.

    The message names the first wrong argument: ``require_names(agent_id="")`` raises "agent_id must be a non-empty
    string."
    """
    for name, value in names.items():
        if not isinstance(value, str) or not value:
            raise InvalidRequestError(f"{name} must be a non-empty string.")


def to_level(value: object, what: str = "level") -> TrustLevel:
    """Return the trust level with this number. Raises InvalidRequestError for anything but an integer from 0 to 5.

    ``what`` names the number in the message.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 5:
        return _LEVELS[value]
    raise InvalidRequestError(f"{what} must be a trust level from 0 to 5, not {value!r}.")
