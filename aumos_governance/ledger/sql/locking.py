"""Transactions that lock all their rows at the start, in one fixed order, so that no two can deadlock.

Which rows a request needs is known only while it is done. So it is done, and whatever row it met that was not
locked is noted; then all is undone and done again with those rows locked first. A transaction is committed
only when it met no row that was not locked: what it decided on was the latest, and no other transaction could change
it meanwhile. Which rows a notebook's requests needed last is remembered, their names and never their values,
so that mostly the first attempt is the last one.

Where a request relies on a row that is not there, it adds that row; when another transaction was faster, the
row's key is taken, and all is done again.
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

__all__ = ["LockingStore", "Name", "TrailedWork", "Trails"]

Name = tuple[type[Row], Key]
"""A kind of row and its primary key."""
Trail = tuple[object, ...]

_ORDER: Final = {kind: number for number, kind in enumerate(ROWS)}
_LEDGER: Final[Name] = (ChainRow, (LEDGER_CHAIN,))
_MOST_TRAILS: Final = 4_096
_LONGEST_TRAIL: Final = 64


class LockingStore(SqlStore):
    """A `Store` that knows which rows are locked, and notes which it met that are not."""

    def __init__(self, new_cursor: Callable[[], Cursor], statements: Statements) -> None:
        super().__init__(new_cursor(), statements)
        self._new_cursor = new_cursor
        self.missed: set[Name] = set()
        """The rows that are there and were not locked: this transaction must not be committed."""
        self.proof: AuditRow | None = None
        """The last audit record that was written: where it is found later, the transaction was committed."""
        self._sent: list[tuple[type[Row], Cursor]] = []
        self._rows: dict[Name, Row | None] = {}
        self._places: dict[Place, NotebookRow] = {}
        self._own: set[Name] = set()

    def lock(self, names: Iterable[Name]) -> None:
        """Lock the rows with these names, those that exist, and wait for the transactions that have them."""
        kinds: dict[type[Row], list[Key]] = {}
        for kind, key in names:
            kinds.setdefault(kind, []).append(key)
            self._rows[kind, key] = None
        for kind in sorted(kinds, key=_ORDER.__getitem__):
            # A cursor for each: in a pipeline all go out before the first response is waited for.
            cursor = self._new_cursor()
            cursor.execute(self._statements.lock[kind], [list(column) for column in zip(*kinds[kind], strict=True)])
            self._sent.append((kind, cursor))

    def load(self, kind: type[RowT], key: Key) -> RowT | None:
        name = (kind, key)
        if name == _LEDGER and name not in self._rows:
            # Last in the order, and locked when it is needed: a request that opens or closes a session waits for it.
            self.lock([name])
        self._collect()
        if name in self._rows:
            return self._rows[name]  # type: ignore[return-value]
        return super().load(kind, key)

    def responses(self, scope: str, keys: Sequence[str]) -> list[ResponseRow]:
        # All keys of the transaction's requests are among what was locked.
        rows = (self.load(ResponseRow, (scope, key)) for key in keys)
        return [row for row in rows if row is not None]

    def notebook_at(self, owner: str, file: str) -> NotebookRow | None:
        self._collect()
        # Only one live notebook is this file, and this one is locked, so it is still that one.
        return self._places.get((owner, file)) or super().notebook_at(owner, file)

    def write(self, new: Iterable[Row], changed: Iterable[Row], audit: Iterable[AuditRow]) -> None:
        if self.missed:
            # All this will be undone, so no lock is taken for it.
            return
        added, records = list(new), list(audit)
        self._own.update((type(row), key_of(row)) for row in added)
        # In the order of their keys, so that of two transactions that add the same rows one is first with all.
        added.sort(key=lambda row: (_ORDER[type(row)], key_of(row)))
        super().write(added, changed, records)
        if records:
            self.proof = records[-1]

    def _collect(self) -> None:
        responses, self._sent = self._sent, []
        for kind, cursor in responses:
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


class TrailedWork(Work):
    """A `Work` that notes which rows each request uses."""

    def __init__(self, store: LockingStore) -> None:
        super().__init__(store)
        self.trails: dict[Trail, set[Name]] = {}
        self._noted: Request[Any] | None = None
        self._used: set[Name] = set()

    def _note(self, name: Name) -> None:
        if self.request is not self._noted and self.request is not None:
            self._noted, self._used = self.request, set()
            for trail in _trails_of(self.request):
                self.trails.setdefault(trail, self._used)
        self._used.add(name)

    def find(self, kind: type[RowT], *key: Any) -> RowT | None:
        self._note((kind, key))
        return super().find(kind, *key)

    def notebook(self, key: NotebookKey) -> NotebookRow | None:
        found = super().notebook(key)
        if found is not None:
            self._note((NotebookRow, (found.id,)))
        return found


class Trails:
    """Remembers the names of the rows that requests used, to lock them for the next request of the same kind."""

    def __init__(self) -> None:
        self._known: dict[Trail, tuple[Name, ...]] = {}

    def names(self, requests: Iterable[Request[Any]]) -> set[Name]:
        """What these requests will probably need."""
        names: set[Name] = set()
        for request in requests:
            names.update(_named(request))
            for trail in _trails_of(request):
                known = self._known.get(trail)
                if known is not None:
                    names.update(known)
                    break
        return names

    def learn(self, work: TrailedWork) -> None:
        """Remember what was used in a transaction."""
        if len(self._known) + len(work.trails) > _MOST_TRAILS:
            self._known.clear()
        for trail, used in work.trails.items():
            lasting = tuple(name for name in used if name[0] not in (ResponseRow, ChargeRow) and name != _LEDGER)
            if len(lasting) <= _LONGEST_TRAIL:
                self._known[trail] = lasting


def _trails_of(request: Request[Any]) -> Iterable[Trail]:
    # What a kernel requests without naming a notebook is about the notebook that it named before.
    place = getattr(request, "notebook", None)
    if isinstance(place, NotebookKey):
        yield (place.owner, file_of(place.root, place.path))
    yield (request.origin.scope,)


def _named(request: Request[Any]) -> Iterable[Name]:
    texts = {field: getattr(request, field, None) for field in ("hold_id", "charge_id")}
    try:
        check_text(request.origin.scope, request.key, *(text for text in texts.values() if text is not None))
    except InvalidRequestError:
        # It is refused for that when its turn comes.
        return
    if request.key:
        yield ResponseRow, (request.origin.scope, request.key)
    for text in texts.values():
        if text is not None:
            yield ChargeRow, (text,)
