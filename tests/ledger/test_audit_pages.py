from __future__ import annotations

import threading
from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery, AuditSums, ListStates
from aumos_governance.types import GovernanceOutcome
from tests.ledger.kit import CENT, NOTEBOOK, OTHER, USD, Backend, closing, opening, records, spend


@pytest.fixture
def history(backend: Backend) -> Ledger:
    ledger = backend.open()
    ledger.execute(opening(agent_id="planner", budget=1 * USD))
    ledger.execute(opening(OTHER))
    for number in range(10):
        ledger.execute(spend(CENT, tool=f"tool-{number % 3}"))
        ledger.execute(spend(CENT, OTHER, tool="other"))
    ledger.execute(spend(2 * USD, tool="tool-0"))
    ledger.execute(spend(2 * USD, tool="tool-0", already_paid=True))
    ledger.execute(closing())
    ledger.execute(spend(CENT))
    return ledger


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 26),
        ({"notebook": NOTEBOOK}, 15),
        ({"notebook": OTHER}, 11),
        ({"agent_id": "planner"}, 14),
        ({"outcome": GovernanceOutcome.DENY}, 2),
        ({"outcome": GovernanceOutcome.ALLOW_WITH_CAVEAT}, 1),
        ({"outcome": GovernanceOutcome.ALLOW}, 23),
        ({"event": "open"}, 2),
        ({"tool": "tool-0"}, 6),
        ({"tool": "tool-0", "agent_id": "planner", "outcome": GovernanceOutcome.DENY}, 1),
        ({"text": "TOOL-1"}, 3),
        ({"text": "would exceed"}, 2),
        ({"text": "100%_"}, 0),
        ({"action_type": "x"}, 0),
        ({"resource": "x"}, 0),
        ({"session_id": "ledger"}, 4),
        ({"session_id": "unknown"}, 0),
    ],
)
def test_each_filter_alone_and_together(history: Ledger, filters: dict[str, Any], count: int) -> None:
    newest_first = records(history, **filters, oldest_first=False, limit=4)
    assert len(newest_first) == count
    assert records(history, **filters, oldest_first=True, limit=3) == newest_first[::-1]
    assert len({record.record_id for record in newest_first}) == count


def test_a_user_who_shares_a_database_reads_only_their_own_records(history: Ledger) -> None:
    theirs = NotebookKey("bob", "/srv/bob", NOTEBOOK.path)
    history.execute(opening(theirs))
    history.execute(spend(CENT, theirs, tool="tool-0"))
    assert len(records(history, under=("bob", "/srv/bob"))) == 2
    assert len(records(history, under=("ann", "/srv/ann"))) == 26
    assert records(history, under=("ann", "/srv/bob")) == []
    assert len(records(history, under=("ann", "/srv/ann"), tool="tool-0")) == 6
    (session,) = {record.chain for record in records(history, notebook=theirs)}
    assert records(history, under=("ann", "/srv/ann"), session_id=session) == []
    sums = history.read(AuditSums(by="tool", under=("bob", "/srv/bob")))
    assert [(total.name, total.spent) for total in sums] == [("tool-0", CENT)]


def test_pages_come_in_order_of_time(history: Ledger) -> None:
    found = records(history)
    assert [record.at for record in found] == sorted(record.at for record in found)
    assert found[0].event == "open"
    assert found[-1].code == "NO_SESSION"


def test_a_time_range_includes_its_start_and_not_its_end(history: Ledger) -> None:
    found = records(history)
    assert records(history, since=found[3].at, until=found[7].at) == found[3:7]
    assert records(history, since=found[3].at, until=found[7].at, notebook=NOTEBOOK) == [
        record for record in found[3:7] if record.notebook == NOTEBOOK.path
    ]


def test_a_sessions_page_is_in_its_own_order_even_when_the_clock_was_set_back(backend: Backend) -> None:
    ledger = backend.open()
    session = ledger.execute(opening()).state.session_id
    ledger.execute(spend())
    backend.clock.advance(-1_000_000)
    ledger.execute(spend())
    assert [record.seq for record in records(ledger, session_id=session, limit=2)] == [1, 2, 3]
    assert [record.seq for record in records(ledger, session_id=session, limit=1, oldest_first=False)] == [3, 2, 1]
    assert len(records(ledger, limit=1)) == 3


def test_pages_neither_skip_nor_repeat_while_records_are_written(history: Ledger) -> None:
    before = records(history, oldest_first=False)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            history.execute(spend(1, OTHER))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        seen = []
        cursor = None
        while True:
            page = history.read(AuditQuery(limit=3, cursor=cursor))
            seen.extend(page.records)
            cursor = page.cursor
            if cursor is None:
                break
    finally:
        stop.set()
        thread.join()
    known = {record.record_id for record in before}
    assert [record for record in seen if record.record_id in known] == before
    assert len({record.record_id for record in seen}) == len(seen)


def test_a_cursor_belongs_to_its_query(history: Ledger) -> None:
    cursor = history.read(AuditQuery(limit=2, tool="other")).cursor
    assert cursor is not None
    assert len(history.read(AuditQuery(limit=5, tool="other", cursor=cursor)).records) == 5
    for query in (
        AuditQuery(cursor=cursor),
        AuditQuery(tool="other", cursor=cursor, oldest_first=True),
        AuditQuery(tool="other", cursor="x"),
        AuditQuery(tool="other", cursor="eyJhIjoxfQ=="),
        AuditQuery(tool="other", cursor=cursor[:-4]),
        AuditQuery(tool="other", cursor="ü"),
    ):
        with pytest.raises(InvalidRequestError, match="cursor"):
            history.read(query)


@pytest.mark.parametrize("limit", [0, -1, 1001, True, 1.5])
def test_a_page_has_a_size(ledger: Ledger, limit: Any) -> None:
    with pytest.raises(InvalidRequestError, match="limit"):
        ledger.read(AuditQuery(limit=limit))
    with pytest.raises(InvalidRequestError, match="limit"):
        ledger.read(ListStates(owner="a", root="b", limit=limit))
