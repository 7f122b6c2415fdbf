"""The interface of the ledger, the store that decides every charge and action, and records each decision.

All other parts of this package pass requests and queries to a `Ledger` and get frozen dataclasses back. Every change is
one `Request`, executed in one transaction that decides, charges, and writes the audit record with its hash. When
`Ledger.execute` returns, the change is on disk (unless the ledger is in memory); when it raises, nothing has changed.

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
"""A function that the ledger calls after each commit with the new states of the notebooks that the commit changed. It
is called in the thread that committed, and must not block or raise."""


class Ledger(Protocol):
    """The store of sessions, limits, charges, approvals and audit records, in memory, in a file or in a database.

    One object is one opened ledger. All methods may be called from any thread.
    """

    @property
    def at_once(self) -> bool:
        """Whether `execute` runs a request in the caller's own thread if no other request is waiting.

        If so, a caller saves no time by calling `submit` early and waiting for the response later.
        """
        ...

    def execute(self, request: Request[ResponseT_co]) -> ResponseT_co:
        """Execute a request, wait until its change is stored durably, and return its response.

        Raises the errors that `Request` describes, and those that the request's own class describes.
        """
        ...

    def submit(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        """Queue a request and return a future of its response, without waiting for it.

        The future gets the response when the change is stored durably, or the error if the request fails. A ledger in
        memory executes the request at once; any other ledger completes the future in its writer's thread.
        """
        ...

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        """Return the result of a query, which sees only committed changes and makes none."""
        ...

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        """Verify that no audit record was changed or removed, and that the stored amounts and states match the records.

        All records and rows are read from one snapshot. The arguments restrict or extend the verification:

        - ``session_id``: verify only this session; raises NotFoundError if it does not exist. None for all sessions.
        - ``known_head``: verify also that a record has this hash, which a user noted earlier as the head of a chain.
        - ``under``: an owner and a server's root folder; verify only the ledger's own chain, and the sessions of
          notebooks below that folder.
        """
        ...

    def attending(self) -> frozenset[str]:
        """Return the names of the servers that have this ledger open now, as each passed its name to `open_ledger`.

        Servers that were killed are left out. A running server may be missing for a moment after it has lost its
        connection to the database, and is always missing on a system without file locks.
        """
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each change that is made through this object; return a function that removes it."""
        ...

    def close(self) -> None:
        """Complete the queued requests, then close files and connections. Further calls of this method do nothing."""
        ...
