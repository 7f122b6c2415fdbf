"""Transactions that lock all their rows at the start, in one fixed order, so that no two can deadlock.

The rows that a request needs are known only while it is executed. So the request is executed, and each row that it
loads without a lock is noted; then everything is rolled back and executed again, with these rows locked first. A
transaction is committed only if all rows that it loaded were locked: then its decision was based on their latest
values, which no other transaction could change meanwhile. The names of the rows that a notebook's last requests needed
are remembered, never their values, so that mostly the first attempt succeeds.

If a request relies on a row that does not exist, the request adds that row. If another transaction has added it
meanwhile, the row's key is a duplicate, and everything is executed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from ...errors import InvalidRequestError
from ..contract.facts import NotebookKey
from ..contract.requests import Request
from ..rules.chain import LEDGER_CHAIN, AuditRow, check_text
from ..rules.files import file_of
from ..transaction.rows import ChainRow, ChargeRow, NotebookRow, ResponseRow
from ..transaction.store import Place
from ..transaction.tables import ROWS, Key, Row, RowT, key_of
from ..transaction.work import Work
from .statements import Statements
from .store import Cursor, SqlStore

Name = tuple[type[Row], Key]
"""The name of a row: its class and its primary key."""
Subject = tuple[object, ...]
"""What requests with the same rows have in common: the notebook's owner and file, or else the caller's scope."""

_ORDER: Final = {kind: number for number, kind in enumerate(ROWS)}
_LEDGER: Final[Name] = (ChainRow, (LEDGER_CHAIN,))
_MOST_SUBJECTS: Final = 4_096
_MOST_ROWS: Final = 64
"""A subject whose requests need more rows than this is not remembered."""


class LockingStore(SqlStore):
    """The `Store` of one attempt at a transaction. It notes each row that is loaded without having been locked.

    ``new_cursor`` returns a new cursor in the transaction.
    """

    def __init__(self, new_cursor: Callable[[], Cursor], statements: Statements) -> None:
        super().__init__(new_cursor(), statements)
        self._new_cursor = new_cursor
        self.missed: set[Name] = set()
        """The names of the rows that were loaded without a lock. If there are any, the transaction must be repeated."""
        self.last_record: AuditRow | None = None
        """The last audit record that was written. If the connection is lost at the commit, and the record is found
        later, then the transaction was committed."""
        self._sent: list[tuple[type[Row], Cursor]] = []
        self._rows: dict[Name, Row | None] = {}
        self._places: dict[Place, NotebookRow] = {}
        self._own: set[Name] = set()

    def lock(self, names: Iterable[Name]) -> None:
        """Lock the named rows, as far as they exist, until the end of the transaction.

        The database first waits for other transactions that have locked these rows. The rows are read when they are
        needed.
        """
        kinds: dict[type[Row], list[Key]] = {}
        for kind, key in names:
            kinds.setdefault(kind, []).append(key)
            self._rows[kind, key] = None
        for kind in sorted(kinds, key=_ORDER.__getitem__):
            # Each statement has a cursor of its own, so that a pipeline sends all before it waits for the first result.
            cursor = self._new_cursor()
            cursor.execute(self._statements.lock[kind], [list(column) for column in zip(*kinds[kind], strict=True)])
            self._sent.append((kind, cursor))

    def load(self, kind: type[RowT], key: Key) -> RowT | None:
        name = (kind, key)
        if name == _LEDGER and name not in self._rows:
            # This row is the last in the order of locks, so it may be locked late, by the requests that need it.
            self.lock([name])
        self._collect()
        if name in self._rows:
            return self._rows[name]  # type: ignore[return-value]
        return super().load(kind, key)

    def responses(self, scope: str, keys: Sequence[str]) -> list[ResponseRow]:
        # The keys of all requests of the transaction were locked at its start.
        rows = (self.load(ResponseRow, (scope, key)) for key in keys)
        return [row for row in rows if row is not None]

    def notebook_at(self, owner: str, file: str) -> NotebookRow | None:
        self._collect()
        # There is at most one live notebook with this file, and a locked row cannot have changed meanwhile.
        return self._places.get((owner, file)) or super().notebook_at(owner, file)

    def write(self, new: Iterable[Row], changed: Iterable[Row], audit: Iterable[AuditRow]) -> None:
        if self.missed:
            # The transaction will be rolled back, so no lock is taken for these rows.
            return
        added, records = list(new), list(audit)
        self._own.update((type(row), key_of(row)) for row in added)
        # Sorted by key, so that of two transactions that add the same rows, the first adds all of them.
        added.sort(key=lambda row: (_ORDER[type(row)], key_of(row)))
        super().write(added, changed, records)
        if records:
            self.last_record = records[-1]

    def _collect(self) -> None:
        """Receive the rows of all locking statements that were sent, and keep them for `load`."""
        sent, self._sent = self._sent, []
        for kind, cursor in sent:
            for values in cursor.fetchall():
                row = super()._row(kind, values)
                self._rows[kind, key_of(row)] = row
                if isinstance(row, NotebookRow) and row.deleted_at is None:
                    self._places[row.owner, row.file] = row

    def _row(self, kind: type[RowT], values: Sequence[Any]) -> RowT:
        self._collect()
        row = super()._row(kind, values)
        name = (kind, key_of(row))
        if self._rows.get(name) is None and name not in self._own:
            self.missed.add(name)
        return row


class NotingWork(Work):
    """A `Work` that notes which rows its requests use, so that `UsedRows` can lock them for similar requests."""

    def __init__(self, store: LockingStore) -> None:
        super().__init__(store)
        self.used: dict[Subject, set[Name]] = {}
        """By subject: the names of the rows that the first request about it used in this transaction."""
        self._noted: Request[Any] | None = None
        self._used: set[Name] = set()

    def _note(self, name: Name) -> None:
        if self.request is not self._noted and self.request is not None:
            self._noted, self._used = self.request, set()
            for subject in _subjects_of(self.request):
                self.used.setdefault(subject, self._used)
        self._used.add(name)

    def find(self, kind: type[RowT], *key: Any) -> RowT | None:
        self._note((kind, key))
        return super().find(kind, *key)

    def notebook(self, key: NotebookKey) -> NotebookRow | None:
        found = super().notebook(key)
        if found is not None:
            self._note((NotebookRow, (found.id,)))
        return found


class UsedRows:
    """A memory of the rows that earlier requests used, to predict which rows similar requests will use.

    One object lasts as long as the database is open.
    """

    def __init__(self) -> None:
        self._known: dict[Subject, tuple[Name, ...]] = {}

    def names(self, requests: Iterable[Request[Any]]) -> set[Name]:
        """Return the names of the rows that these requests will probably use, so that they can be locked first."""
        names: set[Name] = set()
        for request in requests:
            names.update(_named(request))
            for subject in _subjects_of(request):
                known = self._known.get(subject)
                if known is not None:
                    names.update(known)
                    break
        return names

    def learn(self, work: NotingWork) -> None:
        """Remember which rows the requests of a committed transaction used.

        Responses and charges are left out, since later requests use others. So is the end of the ledger-wide chain,
        which is locked late (see `LockingStore.load`).
        """
        if len(self._known) + len(work.used) > _MOST_SUBJECTS:
            self._known.clear()
        for subject, used in work.used.items():
            lasting = tuple(name for name in used if name[0] not in (ResponseRow, ChargeRow) and name != _LEDGER)
            if len(lasting) <= _MOST_ROWS:
                self._known[subject] = lasting


def _subjects_of(request: Request[Any]) -> Iterable[Subject]:
    # A request that names no notebook is mostly about the notebook that its caller named before.
    key = getattr(request, "notebook", None)
    if isinstance(key, NotebookKey):
        yield (key.owner, file_of(key.root, key.path))
    yield (request.origin.scope,)


def _named(request: Request[Any]) -> Iterable[Name]:
    """Yield the names of the rows that a request's own fields identify: its stored response, and its hold or charge."""
    texts = {field: getattr(request, field, None) for field in ("hold_id", "charge_id")}
    try:
        check_text(request.origin.scope, request.key, *(text for text in texts.values() if text is not None))
    except InvalidRequestError:
        # The request is refused for this text when it is executed.
        return
    if request.key:
        yield ResponseRow, (request.origin.scope, request.key)
    for text in texts.values():
        if text is not None:
            yield ChargeRow, (text,)
