"""Read-only access to a ledger, for programs such as ``jupyter governance``, while a server may write to it."""

from __future__ import annotations

from typing import Protocol

from ..errors import ConfigurationError
from .contract.audit_facts import VerifyResult
from .contract.queries import Query
from .contract.requests import ResponseT_co


class LedgerReader(Protocol):
    """A ledger that `open_reader` has opened only for reading. All methods may be called from any thread."""

    name: str
    """The ledger's name in messages: its file's path, or its URL without user and password."""

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        """Return the result of a query, for example one page of audit records, on the committed state."""
        ...

    def places(self) -> tuple[tuple[str, str], ...]:
        """Return the servers that have, or had, notebooks in the ledger, as sorted pairs of owner and root folder."""
        ...

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        """Verify hash chains, and compare the tables with the audit records; arguments as for `Ledger.verify`."""
        ...

    def close(self) -> None:
        """Close files and connections. A second call does nothing."""
        ...


def open_reader(url: str) -> LedgerReader:
    """Open the ledger at ``url`` (see `open_ledger`) only for reading: it is not created, upgraded or changed.

    Other programs may write to it meanwhile. Raises ConfigurationError for ``memory://`` and for a URL of an unknown
    form, NotFoundError if there is no ledger, LedgerVersionError if another version of this package made its tables,
    and LedgerError if it cannot be read.
    """
    scheme, separator, rest = url.partition("://")
    if url == "memory://":
        raise ConfigurationError(
            "A ledger in memory can be read only by the server that keeps it; use a sqlite:// or postgresql:// URL."
        )
    if separator and scheme in ("sqlite", "postgresql", "postgres", "postgresql+psycopg"):
        from .sql import read_postgres, read_sqlite

        return read_sqlite(rest) if scheme == "sqlite" else read_postgres(f"postgresql://{rest}")
    raise ConfigurationError(
        "The database URL names no ledger; use sqlite:///path/to/file.db or postgresql://user@host/database."
    )
