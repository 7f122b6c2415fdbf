"""The ledger's contract: requests go in, frozen records come out, and nothing is decided outside of it.

Every change is one `Request`, executed in one transaction that decides, charges, writes the audit record and
links it. When `execute` returns, the change is on disk; when it raises, nothing has changed. All backends
pass one contract suite.

Amounts are integer nano-USD; times are integer microseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from .audit_facts import VerifyResult
from .facts import SessionState
from .queries import Query
from .requests import Request, ResponseT_co

__all__ = ["Ledger", "Listener"]

Listener = Callable[[tuple[SessionState, ...]], None]
"""Called after each commit with the states it changed, in the thread that committed; must not block or raise."""


class Ledger(Protocol):
    """Durable governance state. All methods may be called from any thread."""

    @property
    def at_once(self) -> bool:
        """Whether `execute` serves a caller that is alone in its own thread, so that a request ahead of time gains
        nothing.
        """
        ...

    def execute(self, request: Request[ResponseT_co]) -> ResponseT_co:
        """Do the change and wait until it is durable."""
        ...

    def submit(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        """Queue the change; the future is done, in the ledger's thread, when it is durable or has failed."""
        ...

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        """Read what is committed."""
        ...

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        """Walk one session's chain, or all chains, and compare the tables with the records, all in one snapshot.

        With ``known_head``, also prove that this head is in a chain.

        With ``under``, the ledger-wide chain and the sessions of this owner under this server root alone. Raises
        NotFoundError for no such session.
        """
        ...

    def attending(self) -> frozenset[str]:
        """The names of the servers that have this ledger open now, as they were given to `open_ledger`.

        One that was killed is not among them. One that lives may be missing for a moment, while it has lost its
        connection to the database, and always where the system has no locks on files.
        """
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each change made through this object; the function returned ends that."""
        ...

    def close(self) -> None:
        """Finish what is queued, and close files and connections. Idempotent."""
        ...
