"""The interface of a ledger, which alone decides.

Callers pass requests and queries to the ledger and get frozen records.

Every change is one `Request`, executed in one transaction that decides, charges, and writes the audit record with its
hash. When `execute` returns, the change is on disk; when it raises, nothing has changed. All backends pass the same
contract tests.

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

Listener = Callable[[tuple[SessionState, ...]], None]
"""A function that is called after each commit with the changed states, in the thread that committed. It must not block
or raise."""


class Ledger(Protocol):
    """The durable store of governance state. All methods may be called from any thread."""

    @property
    def at_once(self) -> bool:
        """Whether `execute` runs a request in the caller's thread while no other request is waiting. If so, submitting
        a request early saves no time.
        """
        ...

    def execute(self, request: Request[ResponseT_co]) -> ResponseT_co:
        """Execute a request, wait until it is durable, and return its response."""
        ...

    def submit(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        """Queue a request and return its future, which is completed when the change is durable or has failed.

        A ledger in memory executes the request at once; any other ledger completes the future in its writer's thread.
        """
        ...

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        """Return the result of a query on the committed state."""
        ...

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        """Verify the hash chain of one session, or all chains, and compare the tables with the records.

        All records and rows are read from one snapshot. With ``known_head``, also verify that a chain has this head.
        With ``under``, an owner and a server root, verify only the ledger's own chain and the sessions below that root.
        Raises NotFoundError if there is no such session.
        """
        ...

    def attending(self) -> frozenset[str]:
        """Return the names of the servers that have this ledger open now, as they passed them to `open_ledger`.

        Servers that were killed are left out. A running server may be missing for a moment while it has lost its
        connection to the database, and is always missing on a system without file locks.
        """
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each change made through this object. Returns a function that unsubscribes it."""
        ...

    def close(self) -> None:
        """Complete the queued requests, and close files and connections. Further calls do nothing."""
        ...
