"""A ledger that is only read, for programs beside the one that writes it."""

from __future__ import annotations

from typing import Protocol

from ..errors import ConfigurationError
from .contract.audit_facts import VerifyResult
from .contract.queries import Query
from .contract.requests import ResponseT_co

__all__ = ["LedgerReader", "open_reader"]


class LedgerReader(Protocol):
    """What can be read of a ledger. All methods may be called from any thread."""

    name: str
    """The file, or the URL without user and password."""

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        """Read what is committed."""
        ...

    def places(self) -> tuple[tuple[str, str], ...]:
        """The owners and server roots that have notebooks here, or had some, in order."""
        ...

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        """As `Ledger.verify`."""
        ...

    def close(self) -> None:
        """Close files and connections. Idempotent."""
        ...


def open_reader(url: str) -> LedgerReader:
    """Open the ledger that ``url`` names (see `open_ledger`) without making, upgrading or changing one.

    Others may write to it meanwhile. Raises ConfigurationError for a URL that names no ledger others could have
    written, NotFoundError where there is none, LedgerVersionError where it has another version of this package's
    tables, and LedgerError when it cannot be read.
    """
    scheme, separator, rest = url.partition("://")
    if url == "memory://":
        raise ConfigurationError("A ledger in memory can be read only by the server that keeps it.")
    if separator and scheme in ("sqlite", "postgresql", "postgres", "postgresql+psycopg"):
        from .sql import read_postgres, read_sqlite

        return read_sqlite(rest) if scheme == "sqlite" else read_postgres(f"postgresql://{rest}")
    raise ConfigurationError(
        "The database URL names no ledger; use sqlite:///path/to/file.db or postgresql://user@host/database."
    )
