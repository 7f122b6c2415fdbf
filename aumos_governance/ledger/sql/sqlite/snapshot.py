"""The snapshot that a verification reads on SQLite: one transaction, in which damaged text can be read as well."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

from ...proof.damage import UnreadableError
from ..store import Cursor


class SqliteSnapshot:
    """The `Snapshot` of SQLite. The connection must be in a read transaction during its use."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def damage(self) -> list[str]:
        try:
            found = [str(text) for (text,) in self._connection.execute("PRAGMA quick_check(20)")]
        except sqlite3.Error as error:
            return [str(error)]
        # A row may have several lines, the first of which may name the database.
        return [line for text in found for line in text.splitlines() if line not in ("ok", "*** in database main ***")]

    @contextmanager
    def salvaging(self) -> Iterator[None]:
        before = self._connection.text_factory
        self._connection.text_factory = _text
        try:
            yield
        finally:
            self._connection.text_factory = before

    def stream(self, text: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._connection.execute(text, values)
        except sqlite3.Error as error:
            raise UnreadableError(str(error)) from error

    def first(self, text: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        try:
            found: tuple[Any, ...] | None = self._connection.execute(text, values).fetchone()
        except sqlite3.Error as error:
            raise UnreadableError(str(error)) from error
        return found


class ReadableSqlite:
    """A base class for SQLite files: implements both kinds of reading with the connections that ``_reading`` lends.

    A subclass must implement ``_reading`` as a context with a connection in a read transaction.
    """

    def _reading(self) -> AbstractContextManager[sqlite3.Connection]:
        raise NotImplementedError

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        with self._reading() as connection, closing(connection.cursor()) as cursor:
            yield cursor

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        with self._reading() as connection:
            yield SqliteSnapshot(connection)


def _text(stored: bytes) -> str:
    # Bytes that are not UTF-8 become lone surrogates, which no text that this package writes contains.
    return stored.decode("utf-8", "surrogateescape")
