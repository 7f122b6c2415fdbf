"""The translation of errors of PostgreSQL and psycopg to LedgerErrors, whose messages contain no password."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import errors

from ....errors import LedgerError, NotConfirmedError

LOCK_SECONDS: Final = 10
"""How many seconds a statement waits for rows that another transaction has locked, before it fails."""
STATEMENT_SECONDS: Final = 30
"""How many seconds any statement may take before it fails."""

_CONFLICTS: Final = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
_LOST: Final = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.DatabaseDropped,
    errors.IdleInTransactionSessionTimeout,
    errors.IdleSessionTimeout,
)
_PROBLEMS: Final[tuple[tuple[type[psycopg.Error], str], ...]] = (
    (errors.LockNotAvailable, f"was locked by another program for more than {LOCK_SECONDS} s"),
    (errors.QueryCanceled, f"did not respond within {STATEMENT_SECONDS} s"),
    (errors.DiskFull, "cannot be written, since the database's disk is full"),
    (errors.ReadOnlySqlTransaction, "cannot be written, since the database is read-only"),
    (errors.InsufficientPrivilege, "cannot be used, since the database user lacks a privilege"),
    (errors.UndefinedTable, "lacks a table; restore it from a backup"),
    (errors.DataCorrupted, "is damaged; restore it from a backup"),
    (errors.IndexCorrupted, "is damaged; restore it from a backup"),
)


def conflicts(error: psycopg.Error) -> bool:
    """Whether a transaction failed because of another transaction, so that a new attempt may succeed."""
    return isinstance(error, _CONFLICTS)


def is_lost(error: psycopg.Error, connection: psycopg.Connection | None) -> bool:
    """Whether the connection can no longer be used after this error. None is a connection that is not open."""
    return connection is None or connection.broken or connection.closed or isinstance(error, _LOST)


def spares_others(error: BaseException | None) -> bool:
    """Whether the cause of a failed transaction may be one of its requests, so that the other requests may succeed."""
    return isinstance(error, (psycopg.DataError, psycopg.IntegrityError, *_CONFLICTS))


def translated(name: str, error: psycopg.Error, *, lost: bool) -> LedgerError:
    """Return the LedgerError to raise for an error of the driver.

    ``name`` is the ledger's name in the message. ``lost`` says that the database could not be reached.
    """
    if lost:
        return LedgerError(
            f"The ledger's database {name} cannot be reached ({_reason(error)}); nothing was acknowledged."
        )
    if conflicts(error):
        return contended(name)
    for kind, what in _PROBLEMS:
        if isinstance(error, kind):
            return LedgerError(f"The ledger {name} {what}; nothing was recorded.")
    return LedgerError(f"The ledger {name} failed: {_reason(error)}; nothing was recorded.")


def not_confirmed(name: str, error: psycopg.Error) -> NotConfirmedError:
    """Return the error to raise if the connection was lost during a commit whose result cannot be found out.

    ``name`` is the ledger's name in the message; ``error`` is the driver's error.
    """
    return NotConfirmedError(
        f"The connection to the ledger's database {name} was lost during a commit ({_reason(error)}), so it is not"
        " confirmed that the request was recorded; a spend or hold is reversed when the database can be reached again."
    )


def contended(name: str) -> LedgerError:
    """Return the error to raise if a transaction conflicted with others in each attempt.

    ``name`` is the ledger's name in the message.
    """
    return LedgerError(
        f"Other programs kept changing the same rows of the ledger {name}, so nothing was recorded; try again."
    )


def _reason(error: psycopg.Error) -> str:
    # The server's own sentence without its details, which may quote values; or else the driver's first line.
    text = error.diag.message_primary or (str(error).strip().splitlines() or ["no reason given"])[0]
    return text.removeprefix("connection failed: ").strip().rstrip(".")
