"""An engine's place in a ledger: one governance session, with the agents' levels and consents beside it."""

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

__all__ = ["Realm", "named", "response_of", "to_level"]

_PATH: Final = "engine"
# The session sets no limit of its own: in an engine, levels belong to agents and ceilings to categories. A user
# may still lower both in the session, and then they bind all that the engine does.
_TERMS: Final = SessionTerms(default_trust_level=TrustLevel.L5_AUTONOMOUS, default_budget=money.MAX_NANO)
_LEVELS: Final = tuple(TrustLevel)


class Realm:
    """What the managers of one engine share: the ledger, and where in it the engine's state lies.

    Engines of one owner on one ledger share their state, also from other threads and processes. ``ledger`` is a
    ledger, a URL as for `ledger.open_ledger`, or None for a private one in memory.
    """

    def __init__(self, ledger: Ledger | str | None = None, *, owner: str | None = None) -> None:
        self._owns_ledger = ledger is None or isinstance(ledger, str)
        self.ledger = open_ledger(ledger or "memory://") if ledger is None or isinstance(ledger, str) else ledger
        self.name = this_owner() if owner is None else owner
        """Keeps the agents of several owners apart."""
        self.notebook = NotebookKey(self.name, "", _PATH)
        # The same for all engines of this owner, so that one may resolve what another one, ended meanwhile, held.
        self.origin = Origin("engine", scope=f"engine/{self.name}", incarnation=_PATH)
        self._lock = threading.Lock()
        self._opened = False

    def execute(self, request: Request[ResponseT_co]) -> ResponseT_co:
        """Do a request in this thread, in the session, which the first one opens or joins.

        A session that a user has closed stays closed: requests that need it are denied then.
        """
        if not self._opened:
            self._open()
        return self.ledger.execute(request)

    def submit(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        """Like `execute`; the future is done when the request is, perhaps in the ledger's thread."""
        if not self._opened:
            self._open()
        return self.ledger.submit(request)

    async def execute_async(self, request: Request[ResponseT_co]) -> ResponseT_co:
        """Like `execute`; the event loop goes on while a ledger on disk writes."""
        return await response_of(await self.submit_async(request))

    async def submit_async(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        """Like `submit`; the event loop goes on while the session is opened."""
        if not self._opened:
            # Twice at once does no harm: the second one joins.
            await response_of(self.ledger.submit(self._opening()))
            self._opened = True
        return self.ledger.submit(request)

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        """Read what is committed."""
        return self.ledger.read(query)

    def close(self) -> None:
        """Close the ledger, if it was opened here. The session stays open for other engines and later ones."""
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
    """A ledger's response, awaited. Cancelled, it is not done, unless it was under way already."""
    # A ledger in memory has responded by now; waiting would only cost a turn of the loop.
    return future.result() if future.done() else await asyncio.wrap_future(future)


def named(**names: object) -> None:
    """Raises InvalidRequestError (a ValueError) that names the first one which is not a non-empty string."""
    for name, value in names.items():
        if not isinstance(value, str) or not value:
            raise InvalidRequestError(f"{name} must be a non-empty string.")


def to_level(value: object, what: str = "level") -> TrustLevel:
    """The trust level with this number. Raises InvalidRequestError for anything but a whole number from 0 to 5."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 5:
        return _LEVELS[value]
    raise InvalidRequestError(f"{what} must be a trust level from 0 to 5, not {value!r}.")
