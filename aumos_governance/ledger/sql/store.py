"""The access of a transaction to a database: `SqlStore` loads rows, and writes the rows that requests have changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, Protocol

from ..rules.chain import AuditRow, dumps
from ..rules.content import decode, encode
from ..transaction.rows import NotebookRow, ResponseRow
from ..transaction.selections import Selection
from ..transaction.tables import ROWS, Key, Row, RowT, columns, key_getter
from .selections import parameters
from .statements import PREFETCHED, Statement, Statements

_Name = tuple[str, str, str]
_AT_ONCE: Final = 32
"""The most rows that one statement inserts, a power of two. With up to 24 columns in a row, the number of parameters
stays below 999, the limit of SQLite before version 3.32 (https://www.sqlite.org/limits.html)."""


class Cursor(Protocol):
    """The methods that the ledger uses of the cursors of ``sqlite3`` and ``psycopg``."""

    def execute(self, text: str, values: Sequence[Any] = ..., /) -> Any: ...

    def executemany(self, text: str, rows: Iterable[Sequence[Any]], /) -> Any: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> Any: ...

    def __iter__(self) -> Any: ...


class SqlStore:
    """The `Store` of one open transaction on a database.

    The transaction must exclude other writers, unless nothing is written.
    """

    tables = None
    places = None

    def __init__(self, cursor: Cursor, statements: Statements) -> None:
        self._cursor = cursor
        self._statements = statements
        self._names: dict[str, _Name] = {}
        """By id of each loaded notebook: its root, path and file in the database, to detect later that they changed."""

    def load(self, kind: type[RowT], key: Key) -> RowT | None:
        self._cursor.execute(self._statements.load[kind], key)
        values = self._cursor.fetchone()
        return None if values is None else self._row(kind, values)

    def responses(self, scope: str, keys: Sequence[str]) -> list[ResponseRow]:
        self._cursor.execute(self._statements.responses, (scope, dumps(keys)))
        return [self._row(ResponseRow, values) for values in self._cursor.fetchall()]

    def notebook_at(self, owner: str, file: str) -> NotebookRow | None:
        self._cursor.execute(self._statements.notebook_at, (owner, file))
        values = self._cursor.fetchone()
        return None if values is None else self._row(NotebookRow, values)

    def notebooks_under(self, owner: str, file: str) -> list[NotebookRow]:
        # "0" follows "/" in Unicode, so this is the range of all files that start with "file/".
        self._cursor.execute(self._statements.notebooks_under, (owner, file, f"{file}/", f"{file}0"))
        rows = [self._row(NotebookRow, values) for values in self._cursor.fetchall()]
        return [row for row in rows if row.file == file or row.file.startswith(f"{file}/")]

    def select(self, selection: Selection[RowT], values: tuple[Any, ...]) -> list[RowT]:
        self._cursor.execute(self._statements.select(selection), parameters(selection, values))
        return [self._row(selection.kind, found) for found in self._cursor.fetchall()]

    def open_holds(self, envelope_id: str, since: int) -> tuple[int, int]:
        self._cursor.execute(self._statements.open_holds, (since, envelope_id))
        live, unknown = self._cursor.fetchone()
        return int(live), int(unknown)

    def due(self, now: int) -> bool:
        self._cursor.execute(self._statements.due, (now, now))
        return self._cursor.fetchone() is not None

    def last_seq(self, owner: str, file: str) -> int:
        self._cursor.execute(self._statements.last_seq, (owner, file))
        return int(self._cursor.fetchone()[0])

    def write(self, new: Iterable[Row], changed: Iterable[Row], audit: Iterable[AuditRow]) -> None:
        inserts, updates = _by_kind(new), _by_kind(changed)
        if notebooks := updates.pop(NotebookRow, None):
            self._update_notebooks(notebooks)
        for kind in ROWS:
            # Updates come before inserts, since a new notebook may take a path that another notebook has left.
            if rows := updates.get(kind):
                self._update(self._statements.update[kind], rows)
            if rows := inserts.get(kind):
                statement = self._statements.insert[kind]
                self._insert(statement.text, _parameters(statement, rows))
        if records := list(audit):
            self._insert(self._statements.append, records)

    def _insert(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        self._cursor.executemany(text, rows)

    def _update_notebooks(self, notebooks: Sequence[Row]) -> None:
        moved: list[NotebookRow] = []
        stay: list[NotebookRow] = []
        for row in notebooks:
            assert isinstance(row, NotebookRow)
            leaves = row.deleted_at is not None or self._names.get(row.id, _name(row)) != _name(row)
            (moved if leaves else stay).append(row)
        if moved:
            # Two notebooks may have exchanged their files in one transaction, which no order of updates allows.
            self._cursor.executemany(self._statements.park_notebook, [(row.id,) for row in moved])
            self._update(self._statements.update[NotebookRow], moved)
        if stay:
            self._update(self._statements.touch_notebook, stay)

    def _update(self, statement: Statement, rows: Iterable[Row]) -> None:
        self._cursor.executemany(statement.text, _parameters(statement, rows))

    def _row(self, kind: type[RowT], values: Sequence[Any]) -> RowT:
        row = kind(*values)
        if isinstance(row, NotebookRow):
            self._names[row.id] = _name(row)
        elif isinstance(row, ResponseRow):
            row.answer = decode(row.answer)
        return row


class PrefetchingStore(SqlStore):
    """The `Store` of one transaction on SQLite, which executes as few statements as possible.

    SQLite runs in this process, so each statement costs its time. One statement loads a notebook with the four other
    rows that its requests need, and one statement inserts many rows.
    """

    def __init__(self, cursor: Cursor, statements: Statements) -> None:
        super().__init__(cursor, statements)
        self._prefetched: dict[tuple[type[Row], Key], Row] = {}

    def _insert(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        # For each row of `executemany` the driver releases the interpreter's lock, and other threads take it. The sizes
        # are halved, so that few statements are executed, and few different statements are prepared.
        start, left, count = 0, len(rows), _AT_ONCE
        while left:
            while count > left:
                count //= 2
            end = start + count
            self._cursor.execute(_many(text, count), tuple(chain.from_iterable(rows[start:end])))
            start, left = end, left - count

    def load(self, kind: type[RowT], key: Key) -> RowT | None:
        # Removed at its first use: from then on the work has the row, perhaps changed.
        found = self._prefetched.pop((kind, key), None)
        return super().load(kind, key) if found is None else found  # type: ignore[return-value]

    def notebook_at(self, owner: str, file: str) -> NotebookRow | None:
        self._cursor.execute(self._statements.notebook_prefetching, (owner, file))
        values = self._cursor.fetchone()
        if values is None:
            return None
        start = 0
        for kind in PREFETCHED:
            end = start + len(columns[kind])
            if values[start] is not None:
                row = self._row(kind, values[start:end])
                self._prefetched[kind, key_getter[kind](row)] = row
            start = end
        found = self._prefetched.pop((NotebookRow, (values[0],)))
        assert isinstance(found, NotebookRow)
        return found


@lru_cache(maxsize=128)
def _many(text: str, count: int) -> str:
    """Return the text of an INSERT that inserts ``count`` rows, made from ``text``, the INSERT of one row."""
    head, values, row = text.partition(" VALUES ")
    return head + values + ", ".join([row] * count)


def _parameters(statement: Statement, rows: Iterable[Row]) -> list[tuple[Any, ...]]:
    found = [statement.values(row) for row in rows]
    if (at := statement.answer) is not None:
        found = [(*values[:at], encode(values[at]), *values[at + 1 :]) for values in found]
    return found


def _name(notebook: NotebookRow) -> _Name:
    return notebook.root, notebook.path, notebook.file


def _by_kind(rows: Iterable[Row]) -> dict[type[Row], list[Row]]:
    kinds: dict[type[Row], list[Row]] = {}
    for row in rows:
        kinds.setdefault(type(row), []).append(row)
    return kinds
