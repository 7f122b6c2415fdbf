"""The ledger: the store of all budgets, charges, approvals, trust levels and audit records.

Each request to a ledger is decided and recorded in one transaction. `open_ledger` opens a ledger;
`contract.ledger.Ledger` describes its methods. Importing this package imports no database library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ConfigurationError
from .contract.ledger import Ledger


def open_ledger(
    url: str,
    *,
    clock: Callable[[], int] | None = None,
    on_commit: Callable[[int], None] | None = None,
    server: str | None = None,
) -> Ledger:
    """Open the ledger at ``url`` for reading and writing; create its tables or upgrade them if needed.

    The URL's form determines where the ledger is stored:

    - ``memory://``: in the memory of this process;
    - ``sqlite:///relative/path`` or ``sqlite:////absolute/path``: in a file, whose missing folders are created;
    - ``postgresql://user:password@host:port/database``: in a database of PostgreSQL 14 or newer, which several servers
      may share.

    ``clock`` replaces the system's clock in tests; it returns microseconds since the epoch. ``on_commit`` is called
    after each commit, in the thread that committed, with the number of requests in the commit; it must not block or
    raise. A ledger in memory never calls it. ``server`` is the name under which `Ledger.attending` lists this server:
    eight random hexadecimal digits, the first below 8. Without it, the server is not listed.

    Raises ConfigurationError if the URL has none of these forms, LedgerVersionError if a newer version of this package
    has written the ledger, and LedgerError if it cannot be opened.
    """
    options: dict[str, Any] = {} if clock is None else {"clock": clock}
    scheme, separator, rest = url.partition("://")
    if url == "memory://":
        from .memory.ledger import MemoryLedger

        return MemoryLedger(**options)
    if separator and scheme == "sqlite":
        from .sql import open_sqlite

        return open_sqlite(rest, on_commit=on_commit, server=server, **options)
    if separator and scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        from .sql import open_postgres

        return open_postgres(f"postgresql://{rest}", on_commit=on_commit, server=server, **options)
    raise ConfigurationError(
        f"{_without_password(url)!r} names no ledger; use memory://, sqlite:///path/to/file.db or"
        " postgresql://user@host/database."
    )


def _without_password(url: str) -> str:
    """Return the part of a URL that an error message may quote: its end, without user, password and query."""
    head, at, tail = url.partition("?")[0].rpartition("@")
    return f"...@{tail[:80]}" if at and head else tail[:80]
