"""One transaction: rows are loaded at most once, changed in memory, and written together at the end.

Operations are written once over `Work`, and a backend's `Store` only loads and writes rows. An operation
checks everything before it changes anything: one that raises has left the work as it was, so that the other
requests of the same transaction go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ...types import GovernanceOutcome
from ..contract.facts import NotebookKey, Origin, SessionState, new_id
from ..contract.requests import Request
from ..rules.chain import LEDGER_CHAIN, NO_OUTCOME, AuditRow, check_text, dumps, link
from ..rules.files import file_of
from .rows import BalanceRow, ChainRow, NotebookRow, ResponseRow
from .selections import Selection
from .store import Place, Store
from .tables import Key, Row, RowT, key_in, key_of

__all__ = ["Work", "record"]


class Work:
    """What one transaction has loaded and changed so far."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._stored = store.tables
        self.request: Request[Any] | None = None
        """The request being done."""
        self.now = 0
        """Its time, in microseconds."""
        self.changes = 0
        """Counts what was changed, to prove that a request that raised had changed nothing."""
        self._rows: defaultdict[type[Row], dict[Key, Row | None]] = defaultdict(dict)
        self._places: dict[Place, NotebookRow | None] = {}
        self._new: dict[Row, None] = {}
        self._dirty: dict[Row, None] = {}
        self._unstored: set[Row] = set()
        self._audit: list[AuditRow] = []
        self._unlinked: list[tuple[Any, ...]] = []
        self._touched: dict[str, NotebookRow] = {}
        self.states: dict[str, SessionState] = {}
        """The last state built of each notebook, dropped when it changes."""

    @property
    def in_memory(self) -> bool:
        """Whether the rows lie in this process, so that any text is stored as it is."""
        return self._stored is not None

    # ---- rows

    def expect(self, keys_by_scope: Iterable[tuple[str, str]]) -> None:
        """Load the responses under these scopes and keys at once, as far as there are any."""
        by_scope: dict[str, list[str]] = {}
        for scope, key in keys_by_scope:
            if key:
                by_scope.setdefault(scope, []).append(key)
        for scope, keys in by_scope.items():
            known = self._rows[ResponseRow]
            known.update(((scope, key), None) for key in keys)
            known.update(((scope, row.key), row) for row in self.store.responses(scope, keys))

    def find(self, kind: type[RowT], *key: Any) -> RowT | None:
        """The row with this primary key, loaded once."""
        rows = self._rows[kind]
        try:
            return rows[key]  # type: ignore[return-value]
        except KeyError:
            found = rows[key] = self.store.load(kind, key)
            return found

    def peek(self, kind: type[RowT], *key: Any) -> RowT | None:
        """Like `find`, for a row that is only read: it may be the stored one itself, and must not be changed."""
        stored = self._stored
        if stored is None:
            return self.find(kind, *key)
        # Mostly nothing is known yet, when a request only checks.
        found = self._rows[kind].get(key) if self._rows and kind in self._rows else None
        return stored[kind].get(key) if found is None else found  # type: ignore[return-value]

    def get(self, kind: type[RowT], *key: Any) -> RowT:
        """Like `find`, for a row that another one refers to."""
        found = self.find(kind, *key)
        if found is None:
            raise LookupError(f"{kind.TABLE} has no row {key}")
        return found

    def add(self, row: RowT) -> RowT:
        """A row that was not there before."""
        kind = type(row)
        self._rows[kind][key_in[kind](row)] = row
        self._new[row] = None
        self.changes += 1
        return row

    def save(self, row: Row) -> None:
        """The row was, or is about to be, changed."""
        self.changes += 1
        if row in self._unstored:
            self._unstored.remove(row)
            self._new[row] = None
        elif row not in self._new:
            self._dirty[row] = None

    def select(self, selection: Selection[RowT], *values: Any) -> list[RowT]:
        """The rows of a selection, with all that this transaction has changed. Requested before any change."""
        self.write()
        found: list[RowT] = []
        for row in self.store.select(selection, values):
            known = self._rows[selection.kind].setdefault(key_of(row), row)
            found.append(row if known is None else known)  # type: ignore[arg-type]
        return found

    def open_holds(self, envelope_id: str, since: int) -> tuple[int, int]:
        """As the store's, with all that this transaction has changed. Requested before any change."""
        self.write()
        return self.store.open_holds(envelope_id, since)

    def new_id(self) -> str:
        """A new identifier that contains the time of the current request."""
        return new_id(self.now)

    # ---- notebooks

    def notebook(self, key: NotebookKey) -> NotebookRow | None:
        """The live notebook that this key names."""
        place = (key.owner, file_of(key.root, key.path))
        try:
            return self._places[place]
        except KeyError:
            check_text(*place)
            return self._know(place, self.store.notebook_at(*place))

    def peek_notebook(self, key: NotebookKey) -> NotebookRow | None:
        """Like `notebook`, only to be read, as with `peek`."""
        places = self.store.places
        place = (key.owner, file_of(key.root, key.path))
        if places is None or place in self._places:
            return self.notebook(key)
        id = places.get(place)
        return None if id is None else self.peek(NotebookRow, id)

    def notebook_or_new(self, key: NotebookKey) -> NotebookRow:
        """The live notebook with this path; one is made where there is none."""
        found = self.notebook(key)
        if found is None:
            file = file_of(key.root, key.path)
            seq = self.store.last_seq(key.owner, file)
            found = self.add(NotebookRow(self.new_id(), key.owner, key.root, key.path, seq, file=file))
            self._places[key.owner, file] = found
        return found

    def notebooks_under(self, owner: str, file: str) -> list[NotebookRow]:
        """The live notebooks that are this file or lie in this folder, by file."""
        check_text(owner, file)
        self.write()
        found = self.store.notebooks_under(owner, file)
        return [known for known in (self._know((owner, row.file), row) for row in found) if known is not None]

    def relocate(self, notebook: NotebookRow, root: str, path: str) -> None:
        """The live notebook is another file now, which no live one is, and named so."""
        file = file_of(root, path)
        if file != notebook.file:
            self._places[notebook.owner, notebook.file] = None
            floor = self.store.last_seq(notebook.owner, file)
            notebook.seq = max(notebook.seq, floor)
            self._places[notebook.owner, file] = notebook
        notebook.root, notebook.path, notebook.file = root, path, file
        self.touch(notebook)

    def remove(self, notebook: NotebookRow) -> None:
        """The notebook is gone; its row stays."""
        notebook.deleted_at = self.now
        self._places[notebook.owner, notebook.file] = None
        self.touch(notebook)

    def touch(self, notebook: NotebookRow) -> None:
        """Mark the notebook's state as changed, so that its listeners are notified."""
        notebook.seq += 1
        self.save(notebook)
        self._touched[notebook.id] = notebook
        self.states.pop(notebook.id, None)

    def touched(self) -> list[NotebookRow]:
        """The notebooks whose state changed in this transaction."""
        return list(self._touched.values())

    def _know(self, place: Place, row: NotebookRow | None) -> NotebookRow | None:
        if row is not None:
            # The identity map's object counts: this one is as stored, that one may be changed already.
            known = self._rows[NotebookRow].setdefault((row.id,), row)
            assert isinstance(known, NotebookRow)
            row = known
        self._places[place] = row
        return row

    # ---- balances

    def balance(self, envelope_id: str, period_start: int) -> BalanceRow:
        """The envelope's figures in one period; where there are none yet, zeros that `save` will store."""
        found = self.find(BalanceRow, envelope_id, period_start)
        if found is None:
            found = BalanceRow(envelope_id, period_start)
            self._rows[BalanceRow][envelope_id, period_start] = found
            self._unstored.add(found)
        return found

    # ---- audit

    def append(self, chain: str, fields: tuple[Any, ...]) -> None:
        """Add a record to a chain; ``fields`` are the audit columns from ``record_id`` to ``detail``.

        Records of the ledger-wide chain are linked when the work is written, so that transactions which
        share it hold its lock for the shortest time and take it last.
        """
        self.changes += 1
        if chain == LEDGER_CHAIN:
            self._unlinked.append(fields)
        else:
            self._link(chain, fields)

    def _link(self, chain: str, fields: tuple[Any, ...]) -> None:
        end = self.get(ChainRow, chain)
        content = (chain, end.count + 1, *fields, end.head)
        head = link(content)
        end.count += 1
        end.head = head
        self.save(end)
        self._audit.append((*content, end.head))

    # ---- the end

    def write(self) -> None:
        """Hand everything to the store; the work may go on afterwards."""
        for fields in self._unlinked:
            self._link(LEDGER_CHAIN, fields)
        self._unlinked.clear()
        if self._new or self._dirty or self._audit:
            self.store.write(self._new, self._dirty, self._audit)
            self._new, self._dirty, self._audit = {}, {}, []


# ---- audit records


def record(
    work: Work,
    chain: str,
    notebook: NotebookRow | None,
    origin: Origin,
    event: str,
    *,
    outcome: GovernanceOutcome | None = GovernanceOutcome.ALLOW,
    code: str | None = None,
    reasons: tuple[str, ...] = (),
    agent_id: str | None = None,
    tool: str | None = None,
    action_type: str | None = None,
    resource: str | None = None,
    amount: int = 0,
    spent_delta: int = 0,
    held_delta: int = 0,
    charge_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Append one record to ``chain`` and return its id. ``outcome`` is None where nothing is decided yet."""
    record_id = work.new_id()
    # In the order of chain.AUDIT_COLUMNS, from record_id to detail.
    work.append(
        chain,
        (
            record_id,
            work.now,
            event,
            NO_OUTCOME if outcome is None else outcome._value_,
            origin.actor,
            "" if notebook is None else notebook.path,
            "" if notebook is None else notebook.id,
            code,
            _text(reasons) if reasons else "[]",
            agent_id,
            tool,
            action_type,
            resource,
            origin.cell_id,
            origin.execution_count,
            amount,
            spent_delta,
            held_delta,
            charge_id,
            dumps(detail) if detail else "{}",
        ),
    )
    return record_id


# Kept, since agents make the same requests over and over.
_text = lru_cache(maxsize=512)(dumps)
