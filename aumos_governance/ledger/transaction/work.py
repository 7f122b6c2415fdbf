"""The work of one transaction: rows are loaded at most once, changed as objects, and written together at the end.

Operations, which execute the ledger's requests, use only `Work`, so they are the same for all backends; a backend's
`Store` only loads and writes rows. An operation checks everything before it changes anything. So an operation that
raises has changed nothing, and the other requests of the same transaction go on.
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
from .tables import Key, Row, RowT, key_getter, key_of


class Work:
    """The rows and audit records that one transaction has loaded, changed or added so far.

    A transaction executes one request or several, one after another, and then calls `write`. The rows come from
    ``store``. An object lives as long as its transaction.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._stored = store.tables
        self.request: Request[Any] | None = None
        """The request that the transaction executes now."""
        self.now = 0
        """The time at which the present request is executed, in microseconds since the epoch."""
        self.changes = 0
        """The number of changes to rows and records so far. The ledger compares it before and after a request that
        raised, to make sure that the request has changed nothing."""
        self._rows: defaultdict[type[Row], dict[Key, Row | None]] = defaultdict(dict)
        self._places: dict[Place, NotebookRow | None] = {}
        self._new: dict[Row, None] = {}
        self._dirty: dict[Row, None] = {}
        self._unstored: set[Row] = set()
        self._audit: list[AuditRow] = []
        self._unlinked: list[tuple[Any, ...]] = []
        self._touched: dict[str, NotebookRow] = {}
        self.states: dict[str, SessionState] = {}
        """By notebook id, the state of the notebook as it was built last. It is removed when the notebook changes."""

    @property
    def in_memory(self) -> bool:
        """Whether the ledger of this transaction is in this process's memory, which can store any text."""
        return self._stored is not None

    # ---- rows

    def preload_responses(self, scopes_and_keys: Iterable[tuple[str, str]]) -> None:
        """Load the stored responses to the requests with these scopes and idempotency keys, one query for each scope.

        Afterwards `find` finds each `ResponseRow`, or that there is none, without a query of its own.
        """
        by_scope: dict[str, list[str]] = {}
        for scope, key in scopes_and_keys:
            if key:
                by_scope.setdefault(scope, []).append(key)
        for scope, keys in by_scope.items():
            known = self._rows[ResponseRow]
            known.update(((scope, key), None) for key in keys)
            known.update(((scope, row.key), row) for row in self.store.responses(scope, keys))

    def find(self, kind: type[RowT], *key: Any) -> RowT | None:
        """Return the row of this class with this primary key, or None if there is none.

        The row is loaded from the store only once; later calls return the same object, with this transaction's changes.
        The caller may change the row and must then call `save`.
        """
        rows = self._rows[kind]
        try:
            return rows[key]  # type: ignore[return-value]
        except KeyError:
            found = rows[key] = self.store.load(kind, key)
            return found

    def peek(self, kind: type[RowT], *key: Any) -> RowT | None:
        """Return the row of this class with this primary key, or None, like `find` but for a caller that only reads it.

        The caller must not change the row: a ledger in memory returns the stored object itself, without copying it.
        """
        stored = self._stored
        if stored is None:
            return self.find(kind, *key)
        # A request that only checks has mostly loaded nothing, so the dictionary is not even created.
        found = self._rows[kind].get(key) if self._rows and kind in self._rows else None
        return stored[kind].get(key) if found is None else found  # type: ignore[return-value]

    def get(self, kind: type[RowT], *key: Any) -> RowT:
        """Return the row of this class with this primary key, like `find`, but raise LookupError if there is none."""
        found = self.find(kind, *key)
        if found is None:
            raise LookupError(f"The table {kind.TABLE} has no row with the key {key}.")
        return found

    def add(self, row: RowT) -> RowT:
        """Add a new row to its table, and return it. `write` stores it."""
        kind = type(row)
        self._rows[kind][key_getter[kind](row)] = row
        self._new[row] = None
        self.changes += 1
        return row

    def save(self, row: Row) -> None:
        """Mark a row as changed, so that `write` stores it. Its fields may be set before or after this call."""
        self.changes += 1
        if row in self._unstored:
            self._unstored.remove(row)
            self._new[row] = None
        elif row not in self._new:
            self._dirty[row] = None

    def select(self, selection: Selection[RowT], *values: Any) -> list[RowT]:
        """Return the rows that a selection searches for, including those that this transaction has changed or added.

        ``values`` are the selection's parameters. All changes so far are written to the store first. So an operation
        that may still raise must call this before it changes rows.
        """
        self.write()
        found: list[RowT] = []
        for row in self.store.select(selection, values):
            known = self._rows[selection.kind].setdefault(key_of(row), row)
            found.append(row if known is None else known)  # type: ignore[arg-type]
        return found

    def open_holds(self, envelope_id: str, since: int) -> tuple[int, int]:
        """Return figures of an envelope's open holds since a time, as `Store.open_holds` describes them.

        This transaction's changes so far are written first, and so are included.
        """
        self.write()
        return self.store.open_holds(envelope_id, since)

    def new_id(self) -> str:
        """Return a new id for a row or record. It begins with the time of the present request, so ids sort by time."""
        return new_id(self.now)

    # ---- notebooks

    def notebook(self, key: NotebookKey) -> NotebookRow | None:
        """Return the row of the notebook that this key names, or None if there is none that is not deleted."""
        place = (key.owner, file_of(key.root, key.path))
        try:
            return self._places[place]
        except KeyError:
            check_text(*place)
            return self._remember(place, self.store.notebook_at(*place))

    def peek_notebook(self, key: NotebookKey) -> NotebookRow | None:
        """Return the row of the notebook that this key names, like `notebook`, but for a caller that only reads it.

        The caller must not change the row (see `peek`).
        """
        places = self.store.places
        place = (key.owner, file_of(key.root, key.path))
        if places is None or place in self._places:
            return self.notebook(key)
        id = places.get(place)
        return None if id is None else self.peek(NotebookRow, id)

    def notebook_or_new(self, key: NotebookKey) -> NotebookRow:
        """Return the row of the notebook that this key names; if there is none, or it is deleted, add a new one."""
        found = self.notebook(key)
        if found is None:
            file = file_of(key.root, key.path)
            seq = self.store.last_seq(key.owner, file)
            found = self.add(NotebookRow(self.new_id(), key.owner, key.root, key.path, seq, file=file))
            self._places[key.owner, file] = found
        return found

    def notebooks_under(self, owner: str, file: str) -> list[NotebookRow]:
        """Return an owner's notebooks at or below a path, sorted by file, without deleted ones.

        ``file`` is the path of one notebook's file, or of a folder with notebooks.
        """
        check_text(owner, file)
        self.write()
        found = self.store.notebooks_under(owner, file)
        return [known for known in (self._remember((owner, row.file), row) for row in found) if known is not None]

    def relocate(self, notebook: NotebookRow, root: str, path: str) -> None:
        """Change the root and path by which the ledger knows a notebook, and so its file.

        The caller must make sure that no other notebook, except deleted ones, has the new file.
        """
        file = file_of(root, path)
        if file != notebook.file:
            self._places[notebook.owner, notebook.file] = None
            floor = self.store.last_seq(notebook.owner, file)
            notebook.seq = max(notebook.seq, floor)
            self._places[notebook.owner, file] = notebook
        notebook.root, notebook.path, notebook.file = root, path, file
        self.touch(notebook)

    def remove(self, notebook: NotebookRow) -> None:
        """Mark a notebook as deleted. Its row stays, since audit records name it."""
        notebook.deleted_at = self.now
        self._places[notebook.owner, notebook.file] = None
        self.touch(notebook)

    def touch(self, notebook: NotebookRow) -> None:
        """Mark the state of a notebook as changed, so that the ledger's listeners are notified of it after the commit.

        This also raises the notebook's ``seq``.
        """
        notebook.seq += 1
        self.save(notebook)
        self._touched[notebook.id] = notebook
        self.states.pop(notebook.id, None)

    def touched(self) -> list[NotebookRow]:
        """Return the rows of the notebooks that `touch` has marked as changed in this transaction."""
        return list(self._touched.values())

    def _remember(self, place: Place, row: NotebookRow | None) -> NotebookRow | None:
        """Remember the live notebook with this owner and file, whose row was just loaded, or that there is none.

        Returns the only object that this transaction has for the notebook's row, or None.
        """
        if row is not None:
            # The row may have been loaded before by its id, and changed since; then that object must be used.
            known = self._rows[NotebookRow].setdefault((row.id,), row)
            assert isinstance(known, NotebookRow)
            row = known
        self._places[place] = row
        return row

    # ---- balances

    def balance(self, envelope_id: str, period_start: int) -> BalanceRow:
        """Return the row of an envelope's balance in the period that starts at ``period_start``.

        If there is no such row, a new one with zeros is returned, which is added to the table only when it is saved.
        """
        found = self.find(BalanceRow, envelope_id, period_start)
        if found is None:
            found = BalanceRow(envelope_id, period_start)
            self._rows[BalanceRow][envelope_id, period_start] = found
            self._unstored.add(found)
        return found

    # ---- audit

    def append(self, chain: str, fields: tuple[Any, ...]) -> None:
        """Add an audit record to the end of a hash chain; ``fields`` are its columns from ``record_id`` to ``detail``.

        ``chain`` is a session's id, or ``"ledger"`` for the chain of the whole ledger. The hashes of that chain's
        records are computed only by `write`: all transactions share the row with the chain's end, so each transaction
        must lock this row last and hold the lock for the shortest time.
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
        """Write all changes and records so far to the store. The transaction may go on and write again afterwards."""
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
    """Append an audit record to a hash chain, and return the record's id.

    ``chain`` is a session's id, or ``"ledger"`` for the chain of the whole ledger. ``notebook`` is None for an event
    that concerns no notebook, and ``outcome`` is None for an event that is not a decision. Amounts are in nano-USD.
    """
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
            _reasons_text(reasons) if reasons else "[]",
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


# Cached, since agents make the same requests over and over.
_reasons_text = lru_cache(maxsize=512)(dumps)
