"""Helpers of the ledger's tests: a clock that can be set, requests with good defaults, and backends to open."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.audit_facts import AuditEntry
from aumos_governance.ledger.contract.budgets import SetBudget
from aumos_governance.ledger.contract.charges import Spend, Void
from aumos_governance.ledger.contract.facts import Balance, NotebookKey, Origin, SessionState
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery, ReadState
from aumos_governance.ledger.contract.requests import (
    ChangeSession,
    CloseSession,
    DeleteNotebook,
    MoveNotebook,
    OpenSession,
)
from aumos_governance.ledger.contract.terms import SessionTerms

USD = 1_000_000_000
CENT = USD // 100
SECOND = 1_000_000
HOUR = 3600 * SECOND

NOTEBOOK = NotebookKey("ann", "/srv/ann", "work/plan.ipynb")
OTHER = NotebookKey("ann", "/srv/ann", "work/other.ipynb")
KERNEL = Origin("kernel", scope="kernel-1", incarnation="one", cell_id="c1", execution_count=3)
BY_USER = Origin("ann", person=True, scope="ann")
SERVER = Origin("server", scope="server")
TERMS = SessionTerms()

_keys = (f"key-{number}" for number in itertools.count(1))


class FakeClock:
    """A clock that only tests move, except that each call adds a microsecond, so that no two records share a time."""

    def __init__(self) -> None:
        self.now = 1_790_000_000 * SECOND

    def __call__(self) -> int:
        self.now += 1
        return self.now

    def advance(self, microseconds: int) -> None:
        self.now += microseconds


@dataclass
class Backend:
    """A database, or memory, in which a ledger can be opened, closed and opened again."""

    name: str
    url: str
    clock: FakeClock = field(default_factory=FakeClock)
    durable: bool = True
    run_sql: Callable[[str], None] | None = None
    """Executes SQL that changes the stored rows without the ledger."""
    _opened: list[Ledger] = field(default_factory=list)

    def open(self, clock: Callable[[], int] | None = None) -> Ledger:
        ledger = open_ledger(self.url, clock=clock or self.clock)
        self._opened.append(ledger)
        return ledger

    def close(self) -> None:
        for ledger in self._opened:
            ledger.close()


def key() -> str:
    return next(_keys)


def opening(notebook: NotebookKey = NOTEBOOK, *, origin: Origin = KERNEL, **values: Any) -> OpenSession:
    return OpenSession(**{"key": key(), "origin": origin, "notebook": notebook, "terms": TERMS} | values)


def change(notebook: NotebookKey = NOTEBOOK, *, origin: Origin = BY_USER, **values: Any) -> ChangeSession:
    return ChangeSession(**{"key": key(), "origin": origin, "notebook": notebook, "terms": TERMS} | values)


def closing(notebook: NotebookKey = NOTEBOOK, *, origin: Origin = KERNEL, **values: Any) -> CloseSession:
    return CloseSession(**{"key": key(), "origin": origin, "notebook": notebook, "terms": TERMS} | values)


def spend(amount: int = CENT, notebook: NotebookKey = NOTEBOOK, *, origin: Origin = KERNEL, **values: Any) -> Spend:
    return Spend(**{"key": key(), "origin": origin, "notebook": notebook, "amount": amount} | values)


def void(of: str, notebook: NotebookKey = NOTEBOOK, *, origin: Origin = KERNEL, **values: Any) -> Void:
    return Void(**{"key": key(), "origin": origin, "notebook": notebook, "of": of} | values)


def move(old: str, new: str, *, owner: str = "ann", root: str = "/srv/ann") -> MoveNotebook:
    return MoveNotebook(key=key(), origin=SERVER, owner=owner, root=root, old=old, new=new)


def delete(path: str, *, owner: str = "ann", root: str = "/srv/ann") -> DeleteNotebook:
    return DeleteNotebook(key=key(), origin=SERVER, owner=owner, root=root, path=path)


def at(path: str) -> NotebookKey:
    return NotebookKey("ann", "/srv/ann", path)


def state(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> SessionState:
    return ledger.read(ReadState(notebook=notebook))


def balance(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> Balance:
    found = state(ledger, notebook).balance
    assert found is not None
    return found


def records(ledger: Ledger, **filters: Any) -> list[AuditEntry]:
    """Return all matching records, read page by page; oldest first unless requested otherwise."""
    return list(_records(ledger, {"oldest_first": True, "limit": 100} | filters))


def _records(ledger: Ledger, filters: dict[str, Any]) -> Iterator[AuditEntry]:
    cursor = None
    while True:
        page = ledger.read(AuditQuery(**filters, cursor=cursor))
        yield from page.records
        cursor = page.cursor
        if cursor is None:
            return


def budget(category: str, ceiling: int, **values: Any) -> SetBudget:
    return SetBudget(
        **{"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "category": category, "ceiling": ceiling} | values
    )
