"""The snapshot that a verification reads on PostgreSQL: one transaction, in which many rows are streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import count
from typing import Any, Final

import psycopg
from psycopg import errors

from ...proof.damage import UnreadableError
from .connections import Connection

_AT_ONCE: Final = 2_000
_DAMAGED: Final = (errors.DataCorrupted, errors.IndexCorrupted, errors.CharacterNotInRepertoire)


class PostgresSnapshot:
    """The `Snapshot` of PostgreSQL. The connection must be in a repeatable-read transaction during its use."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names = count()

    def damage(self) -> list[str]:
        # If checksums are on, the server itself checks each page when it reads the page.
        return []

    def salvaging(self) -> AbstractContextManager[None]:
        # PostgreSQL stores neither invalid text nor values of another type than the column's.
        return nullcontext()

    def stream(self, text: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        # A server-side cursor fetches in parts, between which the connection is free; so no statement takes long.
        try:
            with closing(self._connection.cursor(f"proof_{next(self._names)}")) as cursor:
                cursor.itersize = _AT_ONCE
                cursor.execute(text, values)
                yield from cursor
        except _DAMAGED as error:
            raise UnreadableError(_message(error)) from error

    def first(self, text: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        try:
            with self._connection.cursor() as cursor:
                return cursor.execute(text, values).fetchone()
        except _DAMAGED as error:
            raise UnreadableError(_message(error)) from error


def _message(error: psycopg.Error) -> str:
    return error.diag.message_primary or type(error).__name__
