"""Connections to PostgreSQL, with the settings that the ledger relies on."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from ....errors import ConfigurationError, LedgerError
from .errors import LOCK_SECONDS, STATEMENT_SECONDS, translated

Connection = psycopg.Connection[tuple[Any, ...]]

OLDEST: Final = 14
"""The oldest supported version of PostgreSQL."""
PAUSE_SECONDS: Final = 10
"""How many seconds a program may be idle within a transaction. Then the database ends the transaction and releases its
locks, so that a suspended server does not keep all others waiting."""

_DEFAULTS: Final[dict[str, Any]] = {
    "application_name": "aumos-governance",
    "connect_timeout": 5,
    # A peer that is gone without closing the connection is noticed within seconds, not after hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_SETTINGS: Final = f"""
SET lock_timeout = '{LOCK_SECONDS}s';
SET statement_timeout = '{STATEMENT_SECONDS}s';
SET idle_in_transaction_session_timeout = '{PAUSE_SECONDS}s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
"""


class _FlagDumper(Dumper):
    """The conversion of a bool parameter to a SMALLINT, because the tables store flags as 0 or 1, as in SQLite."""

    oid = psycopg.postgres.types["int2"].oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class PostgresServer:
    """The address and options of a PostgreSQL database, from a ledger's URL; `connect` opens connections to it."""

    def __init__(self, url: str) -> None:
        """Parse ``url``, a connection URI of libpq. Raises ConfigurationError for any other text."""
        try:
            self._parameters = _DEFAULTS | conninfo_to_dict(url)
            if not all(port.isdecimal() for port in str(self._parameters.get("port", 0)).split(",")):
                raise ValueError("port")
        except (psycopg.Error, ValueError):
            # The driver's message is left out, since it may quote the URL with its password.
            raise ConfigurationError(
                "The ledger's URL is not a PostgreSQL URL; write postgresql://user:password@host:port/database."
            ) from None
        self.name = _name(self._parameters)
        """The ledger's name in messages: its URL without user, password and options."""

    def connect(self) -> Connection:
        """Return a new connection with the ledger's settings, in which no transaction was begun.

        Raises LedgerError if the database cannot be reached, is too old, or is not in UTF8.
        """
        try:
            connection: Connection = psycopg.connect(**self._parameters, autocommit=True, client_encoding="UTF8")
        except psycopg.Error as error:
            raise translated(self.name, error, lost=True) from error
        try:
            self._check(connection)
            connection.execute(_SETTINGS)
        except psycopg.Error as error:
            connection.close()
            raise translated(self.name, error, lost=True) from error
        except BaseException:
            connection.close()
            raise
        # Each statement always has the same text and the same parameter types, so it is prepared once.
        connection.prepare_threshold = 0
        connection.prepared_max = 500
        connection.adapters.register_dumper(int, Int8Dumper)
        connection.adapters.register_dumper(bool, _FlagDumper)
        return connection

    def _check(self, connection: Connection) -> None:
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise LedgerError(
                f"The ledger needs PostgreSQL {OLDEST} or newer, but {self.name} is PostgreSQL {version}."
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise LedgerError(f"The ledger needs a database in UTF8, but {self.name} is in {encoding}.")


def _name(parameters: dict[str, Any]) -> str:
    host = str(parameters.get("host") or parameters.get("hostaddr") or "")
    port, database = parameters.get("port"), parameters.get("dbname") or ""
    if host.startswith("/"):
        return f"postgresql:///{database}?host={host}"
    return f"postgresql://{host}{f':{port}' if port else ''}/{database}"


def roll_back(connection: Connection) -> None:
    """Roll back the connection's open transaction, if any. If that fails, close the connection."""
    if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
        with suppress(psycopg.Error):
            connection.execute(b"ROLLBACK")
    if connection.info.transaction_status != TransactionStatus.IDLE:
        # No thread may use a connection whose transaction should have ended.
        connection.close()
