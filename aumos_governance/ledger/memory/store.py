"""`MemoryStore`: the tables and audit records of a ledger in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from ..rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN, AuditRow
from ..rules.content import KEEP_RESPONSES
from ..rules.files import lies_in
from ..transaction.rows import (
    COUNTING,
    HELD,
    PENDING,
    ApprovalRow,
    ChainRow,
    ChargeRow,
    NotebookAliasRow,
    NotebookRow,
    ResponseRow,
    SessionRow,
)
from ..transaction.selections import Selection
from ..transaction.tables import ROWS, Key, Row, RowT, key_of, values_getter
from .selections import select

_SEQ: Final = AUDIT_COLUMNS.index("seq")
_PURGED_AT_ONCE: Final = 4
_COUNTING, _PENDING = COUNTING.values, PENDING.values


class MemoryStore:
    """The `Store` of a ledger in memory, with all its rows in dictionaries and all its audit records in lists.

    It lasts as long as its ledger. It is not thread-safe: `MemoryLedger` holds a lock while it uses the store.
    """

    def __init__(self) -> None:
        self.tables: dict[type[Row], dict[Key, Row]] = {kind: {} for kind in ROWS}
        self.audit: list[AuditRow] = []
        """All audit records, in the order of writing."""
        self.chains: dict[str, list[AuditRow]] = {LEDGER_CHAIN: []}
        self.tables[ChainRow][LEDGER_CHAIN,] = ChainRow(LEDGER_CHAIN)
        self.places: dict[tuple[str, str], str] = {}
        self._place: dict[str, tuple[str, str]] = {}
        self._timed: dict[tuple[type[Row], str], int] = {}
        """By class and id of a row: when the open hold or pending approval expires, in microseconds since the epoch."""
        self._open: dict[str, ChargeRow] = {}
        """The open holds, also those whose outcome is unknown, by their ids."""
        self._unfinished: tuple[tuple[Row, ...], tuple[AuditRow, ...]] | None = None
        """The rows and records of the last `write`, until all are stored. It is not None after an interrupted write."""

    # ---- Store

    def load(self, kind: type[RowT], key: Key) -> RowT | None:
        found = self.tables[kind].get(key)
        # A copy, so that a transaction that fails has changed no stored row.
        return None if found is None else kind(*values_getter[kind](found))

    def responses(self, scope: str, keys: Sequence[str]) -> list[ResponseRow]:
        return [row for key in keys if (row := self.load(ResponseRow, (scope, key))) is not None]

    def notebook_at(self, owner: str, file: str) -> NotebookRow | None:
        id = self.places.get((owner, file))
        return None if id is None else self.load(NotebookRow, (id,))

    def notebooks_under(self, owner: str, file: str) -> list[NotebookRow]:
        found = [
            self.places[place]
            for place in sorted(self.places)
            if place[0] == owner and (place[1] == file or place[1].startswith(f"{file}/"))
        ]
        return [row for id in found if (row := self.load(NotebookRow, (id,))) is not None]

    def select(self, selection: Selection[RowT], values: tuple[Any, ...]) -> list[RowT]:
        found = sorted(map(key_of, select(self.tables, selection, values)))
        return [row for key in found if (row := self.load(selection.kind, key)) is not None]

    def open_holds(self, envelope_id: str, since: int) -> tuple[int, int]:
        found = [row for row in self._open.values() if row.at >= since and envelope_id in row.envelopes.split()]
        live = sum(row.state == HELD and row.amount > 0 for row in found)
        return live, sum(row.amount for row in found if row.state != HELD)

    def due(self, now: int) -> bool:
        return bool(self._timed) and min(self._timed.values()) <= now

    def last_seq(self, owner: str, file: str) -> int:
        return max((row.seq for row in self.deleted_at(owner, file)), default=0)

    def write(self, new: Iterable[Row], changed: Iterable[Row], audit: Iterable[AuditRow]) -> None:
        # Kept until all is in its place, so that a KeyboardInterrupt in the middle loses nothing.
        self._unfinished = ((*new, *changed), tuple(audit))
        self.finish()

    # ---- what the ledger in memory needs beyond `Store`

    def finish(self) -> None:
        """Store the rows and records of the last `write`, or the rest of them after a KeyboardInterrupt.

        `MemoryLedger` calls this before it uses the store.
        """
        if self._unfinished is None:
            return
        rows, audit = self._unfinished
        for row in rows:
            self.tables[type(row)][key_of(row)] = row
            if type(row) is NotebookRow:
                self._index(row)
            elif type(row) is ChargeRow:
                self._time(row, row.until, row.state in _COUNTING)
                if row.state in _COUNTING:
                    self._open[row.id] = row
                else:
                    self._open.pop(row.id, None)
            elif type(row) is ApprovalRow:
                self._time(row, row.until, row.status in _PENDING)
        for record in audit:
            chain = self.chains.setdefault(record[0], [])
            if len(chain) < record[_SEQ]:
                if not self.audit or self.audit[-1] is not record:
                    self.audit.append(record)
                chain.append(record)
        self._unfinished = None

    def purge(self, now: int) -> None:
        """Delete a few of the stored responses that are older than `KEEP_RESPONSES` at ``now`` (microseconds)."""
        responses = self.tables[ResponseRow]
        if not responses:
            return
        for _ in range(_PURGED_AT_ONCE):
            oldest = next(iter(responses), None)
            if oldest is None or responses[oldest].at > now - KEEP_RESPONSES:  # type: ignore[attr-defined]
                return
            del responses[oldest]

    def deleted_at(self, owner: str, file: str) -> list[NotebookRow]:
        """Return the rows of all deleted notebooks that had this owner and file."""
        rows: Any = self.tables[NotebookRow].values()
        return [row for row in rows if row.deleted_at is not None and (row.owner, row.file) == (owner, file)]

    def live(self, owner: str, root: str) -> list[NotebookRow]:
        """Return the rows of the notebooks of a server, given its owner and root folder, sorted by file.

        Deleted notebooks are left out.
        """
        rows: Any = [self.tables[NotebookRow][self.places[place],] for place in sorted(self.places)]
        return [row for row in rows if lies_in(row, owner, root)]

    def aliases(self, notebook_id: str) -> set[str]:
        """Return all ids that the audit records of a notebook have: its own, and those of notebooks joined to it."""
        rows: Any = self.tables[NotebookAliasRow].values()
        return {notebook_id, *(row.id for row in rows if row.notebook_id == notebook_id)}

    def sessions_of(self, owner: str, root: str) -> set[str]:
        """Return the ids of the sessions of all notebooks of a server, also of deleted notebooks.

        The server is given by its owner and root folder.
        """
        rows: Any = self.tables
        notebooks = {row.id for row in rows[NotebookRow].values() if lies_in(row, owner, root)}
        return {row.id for row in rows[SessionRow].values() if row.notebook_id in notebooks}

    def _time(self, row: ChargeRow | ApprovalRow, until: int | None, running: bool) -> None:
        if running and until is not None:
            self._timed[type(row), row.id] = until
        elif until is not None:
            self._timed.pop((type(row), row.id), None)

    def _index(self, notebook: NotebookRow) -> None:
        before = self._place.get(notebook.id)
        if before is not None and self.places.get(before) == notebook.id:
            del self.places[before]
        if notebook.deleted_at is None:
            place = (notebook.owner, notebook.file)
            self._place[notebook.id] = place
            self.places[place] = notebook.id
