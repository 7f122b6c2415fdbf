from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing as closed
from pathlib import Path

import psycopg
import pytest

from aumos_governance.errors import ConflictError, LedgerError, NotConfirmedError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.sql.postgres import connections
from tests.ledger.kit import (
    CENT,
    USD,
    Backend,
    balance,
    opening,
    records,
    spend,
    state,
)
from tests.ledger.postgres_proxy import PostgresProxy
from tests.ledger.postgres_server import PostgresServer


def test_rows_locked_for_too_long(postgresql: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = connections._SETTINGS.replace("lock_timeout = '10s'", "lock_timeout = '200ms'")
    monkeypatch.setattr(connections, "_SETTINGS", settings)
    ledger = postgresql.open()
    ledger.execute(opening())
    before = state(ledger)
    with psycopg.connect(postgresql.url) as other:
        other.execute("SELECT * FROM balances FOR UPDATE")
        pending = [ledger.submit(spend()) for _ in range(50)]
        for future in pending:
            with pytest.raises(LedgerError, match="locked by another program for more than 10 s; nothing was recorded"):
                future.result()
        assert state(ledger) == before
        other.rollback()
    assert ledger.execute(spend()).allowed
    assert ledger.verify().ok


@pytest.mark.parametrize(
    ("change", "undo", "message"),
    [
        (
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            "ALTER DATABASE {} RESET default_transaction_read_only",
            r"cannot be written, since the database is read-only; nothing was recorded\.$",
        ),
        (
            "ALTER DATABASE {} SET role = pg_read_all_data",
            "ALTER DATABASE {} RESET role",
            r"cannot be used, since the database user lacks a privilege; nothing was recorded\.$",
        ),
    ],
)
def test_a_database_that_may_not_be_written(
    postgresql: Backend, postgres_server: PostgresServer, change: str, undo: str, message: str
) -> None:
    with closed(postgresql.open()) as ledger:
        ledger.execute(opening())
        before = state(ledger)
    name = postgresql.url.partition("?")[0].rpartition("/")[2]
    postgres_server.execute(change.format(name))
    try:
        with closed(postgresql.open()) as ledger:
            for future in [ledger.submit(spend()) for _ in range(3)]:
                with pytest.raises(LedgerError, match=message):
                    future.result()
            assert state(ledger) == before
    finally:
        postgres_server.execute(undo.format(name))
    assert postgresql.open().execute(spend()).allowed


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(
        LedgerError, match=r"database postgresql:///db\S+ cannot be reached \(.+\); nothing was ack"
    ) as raised:
        open_ledger(f"postgresql://u:secret@/db?host={tmp_path}")
    assert "secret" not in str(raised.value)


def test_a_server_that_stops_and_starts_in_the_middle(postgresql: Backend, postgres_server: PostgresServer) -> None:
    ledger = postgresql.open()
    ledger.execute(opening(budget=1000 * USD))
    allowed: list[str] = []
    refused: list[tuple[str, LedgerError]] = []
    ended, failing = threading.Event(), threading.Event()

    def go_on(thread: int) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            key = f"{thread}-{number}"
            try:
                assert ledger.execute(spend(key=key)).allowed
                allowed.append(key)
            except LedgerError as error:
                refused.append((key, error))
                failing.set()

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        failing.clear()
        postgres_server.stop("immediate")
        assert failing.wait(20)
        count = len(allowed)
        postgres_server.start()
        while len(allowed) < count + 20:
            assert not ended.wait(0.01)
    ended.set()
    for thread in threads:
        thread.join()
    for _, error in refused:
        if isinstance(error, NotConfirmedError):
            continue
        assert error.message.startswith(f"The ledger's database {ledger_name(ledger)} cannot be reached (")
        assert error.message.endswith("); nothing was acknowledged.")
    # All refused requests are made again; some of them had been charged without a response.
    for future in [ledger.submit(spend(key=key)) for key in allowed]:
        assert future.result().allowed
    charged = len(allowed) + sum(is_done_again(ledger, key, error) for key, error in refused)
    assert balance(ledger).spent == charged * CENT
    taken_back = len(records(ledger, event="void", limit=1000))
    assert len(records(ledger, event="spend", limit=1000)) == charged + taken_back
    assert ledger.verify().ok


def is_done_again(ledger: Ledger, key: str, error: LedgerError) -> bool:
    try:
        return ledger.execute(spend(key=key)).allowed
    except ConflictError:
        # The charges that were not confirmed were taken back.
        assert isinstance(error, NotConfirmedError)
        return False


def ledger_name(ledger: Ledger) -> str:
    name: str = ledger._database._server.name  # type: ignore[attr-defined]
    return name


# ---- connections that are cut


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[PostgresProxy]:
    with tempfile.TemporaryDirectory(prefix="aumos-proxy-") as folder:
        made = PostgresProxy(Path(folder), postgres_server.folder)
        made.folder = folder  # type: ignore[attr-defined]
        made.start()
        yield made
        made.end()


@pytest.mark.parametrize("key", ["one", ""])
def test_a_commit_whose_response_is_lost_is_found(postgresql: Backend, proxy: PostgresProxy, key: str) -> None:
    ledger = through(proxy, postgresql)
    ledger.execute(opening())
    # When this request is done, so is the purge that follows the first transaction.
    ledger.execute(spend())
    proxy.cut_response = True
    lost = ledger.execute(spend(key=key))
    assert proxy.cuts == 1
    assert lost.allowed
    assert balance(ledger).spent == 2 * CENT
    assert [record.record_id for record in records(ledger, event="spend")][1:] == [lost.record_id]
    assert ledger.execute(spend(key="two")).allowed
    assert balance(ledger).spent == 3 * CENT
    assert ledger.verify().ok


def test_an_opening_whose_response_is_lost_is_found(postgresql: Backend, proxy: PostgresProxy) -> None:
    ledger = through(proxy, postgresql)
    proxy.cut_response = True
    opened = ledger.execute(opening())
    assert proxy.cuts == 1
    assert opened.opened
    assert state(ledger).session_id == opened.state.session_id
    assert ledger.verify().ok


def test_a_connection_that_was_cut_while_it_was_idle(postgresql: Backend, proxy: PostgresProxy) -> None:
    ledger = through(proxy, postgresql)
    ledger.execute(opening())
    proxy.cut_question = True
    assert ledger.execute(spend()).allowed
    proxy.cut_question = True
    assert state(ledger).active
    assert proxy.cuts == 2
    assert balance(ledger).spent == CENT


def through(proxy: PostgresProxy, backend: Backend) -> Ledger:
    backend.url = f"{backend.url.partition('=')[0]}={proxy.folder}"  # type: ignore[attr-defined]
    return backend.open()
