from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from aumos_governance.ledger.sql.postgres import database
from tests.ledger.kit import (
    CENT,
    NOTEBOOK,
    USD,
    Backend,
    at,
    balance,
    delete,
    move,
    opening,
    records,
    spend,
    state,
)
from tests.ledger.postgres_server import PostgresServer


def deadlocks(server: PostgresServer) -> int:
    ((count,),) = server.execute("SELECT coalesce(sum(deadlocks), 0) FROM pg_stat_database")
    return int(count)


def test_requests_in_any_order_never_deadlock(postgresql: Backend, postgres_server: PostgresServer) -> None:
    before = deadlocks(postgres_server)
    places = [at(f"{number}.ipynb") for number in range(6)]
    ledgers = [postgresql.open(), postgresql.open(), postgresql.open()]
    for place in places:
        ledgers[0].execute(opening(place, budget=1000 * USD))
    failed: list[Exception] = []

    def go_on(number: int) -> None:
        chance = random.Random(number)
        for _ in range(25):
            chance.shuffle(places_of := list(places))
            try:
                for future in [ledgers[number].submit(spend(notebook=place)) for place in places_of]:
                    assert future.result().allowed
                place = chance.choice(places)
                ledgers[number].execute(opening(place, budget=1000 * USD, new=True))
            except Exception as error:  # noqa: BLE001 - shown below
                failed.append(error)

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sum(record.spent_delta for record in records(ledgers[1], limit=1000)) == 3 * 25 * 6 * CENT
    assert ledgers[0].verify().ok
    assert deadlocks(postgres_server) == before


def test_the_same_request_at_two_servers_is_done_once(postgresql: Backend) -> None:
    ledgers = [postgresql.open(), postgresql.open()]
    ledgers[0].execute(opening(budget=1000 * USD))
    for number in range(40):
        first, second = (ledger.submit(spend(key=f"same-{number}")) for ledger in ledgers)
        assert first.result().charge_id == second.result().charge_id
    assert balance(ledgers[0]).spent == 40 * CENT


def test_a_new_notebook_at_two_servers_is_one(postgresql: Backend, caplog: pytest.LogCaptureFixture) -> None:
    ledgers = [postgresql.open(), postgresql.open()]
    for number in range(30):
        place = at(f"new-{number}.ipynb")
        pending = [ledger.submit(opening(place)) for ledger in ledgers]
        opened = [future.result() for future in pending]
        assert sorted(one.opened for one in opened) == [False, True]
        assert opened[0].state.session_id == opened[1].state.session_id
    assert ledgers[0].verify().ok
    assert caplog.text == ""


def test_moves_and_spends_at_two_servers(postgresql: Backend) -> None:
    ledgers = [postgresql.open(), postgresql.open()]
    ledgers[0].execute(opening(at("a/x.ipynb")))
    session = state(ledgers[0], at("a/x.ipynb")).session_id
    allowed = 0
    for number in range(20):
        old, new = ("a", "b") if number % 2 == 0 else ("b", "a")
        moved = ledgers[0].submit(move(old, new))
        pending = [ledgers[1].submit(spend(notebook=at(f"{folder}/x.ipynb"))) for folder in ("a", "b")]
        assert moved.result() == 1
        allowed += sum(future.result().allowed for future in pending)
    found = state(ledgers[1], at("a/x.ipynb"))
    assert found.session_id == session
    assert found.balance is not None
    assert found.balance.spent == allowed * CENT
    assert ledgers[0].execute(delete("a")) == 1
    assert ledgers[1].verify().ok


def test_a_hint_that_is_wrong_does_no_harm(postgresql: Backend) -> None:
    # The second ledger has changed what the first ledger has remembered of the notebook.
    first, second = postgresql.open(), postgresql.open()
    first.execute(opening())
    first.execute(spend())
    second.execute(opening(new=True, budget=3 * CENT))
    assert [first.execute(spend()).allowed for _ in range(4)] == [True, True, True, False]
    second.execute(delete(NOTEBOOK.path))
    assert first.execute(spend()).code == "NO_SESSION"
    assert first.verify().ok


def test_a_warm_spend_is_one_attempt(postgresql: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []
    attempt = database.PostgresDatabase._attempt

    def counting(self: database.PostgresDatabase, *rest: Any) -> Any:
        attempts.append(rest)
        return attempt(self, *rest)

    ledger = postgresql.open()
    ledger.execute(opening())
    ledger.execute(spend())
    monkeypatch.setattr(database.PostgresDatabase, "_attempt", counting)
    for _ in range(10):
        ledger.execute(spend())
    assert len(attempts) == 10
