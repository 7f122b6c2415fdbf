from __future__ import annotations

import logging
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing as closed
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from aumos_governance.errors import ConfigurationError, LedgerError, LedgerVersionError
from aumos_governance.ledger import open_ledger, schema
from aumos_governance.ledger.base import Ledger
from aumos_governance.ledger.sql import migrate, postgres, postgres_connections
from aumos_governance.ledger.sql.postgres_connections import PostgresServer as Connector
from tests.ledger.kit import CENT, NOTEBOOK, USD, Backend, at, balance, delete, move, opening, records, spend, state
from tests.ledger.postgres_proxy import PostgresProxy
from tests.ledger.postgres_server import PostgresServer

# ---- URLs and connections


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_forms_of_a_url(postgresql: Backend, scheme: str) -> None:
    url = postgresql.url.replace("postgresql:", f"{scheme}:")
    with closed(open_ledger(url)) as ledger:
        assert ledger.execute(opening()).opened


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:secret@host:port/db", "postgresql://u:secret@host/db?colour=blue", "postgresql://u:secret%@"],
)
def test_a_url_that_cannot_be_read_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write postgresql://user:password@host:port/database") as raised:
        open_ledger(url)
    assert "secret" not in "".join(map(repr, chain_of(raised.value)))


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_wrong_password_is_told_to_nobody(
    postgresql: Backend, postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    postgres_server.execute("CREATE ROLE guest LOGIN SUPERUSER PASSWORD 'right'")
    try:
        url = postgresql.url.replace("postgres@", "guest:wrong-secret@")
        with pytest.raises(
            LedgerError, match=r"cannot be reached \(.*guest.*\); nothing was acknowledged\.$"
        ) as raised:
            open_ledger(url)
        told = "".join(map(repr, chain_of(raised.value))) + caplog.text
        assert "wrong-secret" not in told
        with closed(open_ledger(url.replace("wrong-secret", "right"))) as ledger:
            assert ledger.execute(opening()).opened
    finally:
        postgres_server.execute("DROP ROLE guest")


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [name for name in sys.modules if name.startswith("aumos_governance.ledger.sql.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigurationError, match=r"needs psycopg; install it with: pip install 'aumos-governance\[pos"):
        open_ledger("postgresql://host/db")


def test_what_each_connection_promises(postgresql: Backend, postgres_server: PostgresServer) -> None:
    name = postgresql.url.partition("?")[0].rpartition("/")[2]
    postgres_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        with closed(Connector(postgresql.url).connect()) as connection:
            shown = {
                name: connection.execute(f"SHOW {name}").fetchone()  # type: ignore[arg-type]
                for name in ("synchronous_commit", "lock_timeout", "statement_timeout", "client_encoding")
            }
        assert shown == {
            "synchronous_commit": ("on",),
            "lock_timeout": ("10s",),
            "statement_timeout": ("30s",),
            "client_encoding": ("UTF8",),
        }
    finally:
        postgres_server.execute(f"ALTER DATABASE {name} RESET synchronous_commit")


def test_an_old_server_is_refused(postgresql: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_connections, "OLDEST", 99)
    with pytest.raises(LedgerError, match=r"needs PostgreSQL 99 or newer, and postgresql:///\S+ is PostgreSQL \d\d\.$"):
        postgresql.open()


def test_a_database_that_cannot_hold_all_text_is_refused(postgres_server: PostgresServer) -> None:
    postgres_server.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(LedgerError, match=r"needs a database in UTF8, and postgresql:///latin\S+ is in LATIN1\.$"):
        open_ledger(postgres_server.url("latin"))


# ---- tables


@pytest.fixture
def fresh(postgres_server: PostgresServer) -> Iterator[Backend]:
    """A database without tables."""
    with closed(Backend("postgresql", postgres_server.url(postgres_server.create()))) as made:
        yield made


OPENER = """
import sys
from aumos_governance.ledger import open_ledger
print("ready", flush=True)
sys.stdin.readline()
open_ledger(sys.argv[1]).close()
"""


def test_programs_may_open_a_fresh_database_at_once(fresh: Backend) -> None:
    command = [sys.executable, "-c", OPENER, fresh.url]
    programs = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        for _ in range(3)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.communicate("\n")
        assert program.returncode == 0
    assert fresh.open().verify().ok


def test_a_database_has_exactly_what_the_program_would_create(fresh: Backend, postgres_server: PostgresServer) -> None:
    fresh.open().close()
    other = postgres_server.url(postgres_server.create())
    direct = create_engine(other.replace("postgresql:", "postgresql+psycopg:"))
    schema.metadata.create_all(direct)
    direct.dispose()
    assert objects(fresh.url) == objects(other)
    migrated = create_engine(fresh.url.replace("postgresql:", "postgresql+psycopg:"))
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrate.VERSION_TABLE})
        assert compare_metadata(context, schema.metadata) == []
    migrated.dispose()


def objects(url: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, collation_name"
            " FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
        indexes = connection.execute(
            "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        ).fetchall()
        keys = connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
        ).fetchall()
    return {found for found in (*columns, *indexes, *keys) if found[0] != migrate.VERSION_TABLE}


def test_a_database_of_a_newer_version_is_refused(fresh: Backend) -> None:
    fresh.open().close()
    with psycopg.connect(fresh.url) as connection:
        connection.execute(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'")  # type: ignore[arg-type]
    with pytest.raises(LedgerVersionError, match=r"written by a newer version .*; upgrade aumos-governance"):
        fresh.open()


def test_opening_a_current_database_does_not_import_alembic(postgresql: Backend) -> None:
    code = (
        "import sys, aumos_governance.ledger as ledger; ledger.open_ledger(sys.argv[1]).close();"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, postgresql.url], check=True)


# ---- failures


def test_rows_locked_for_too_long(postgresql: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = postgres_connections._SETTINGS.replace("lock_timeout = '10s'", "lock_timeout = '200ms'")
    monkeypatch.setattr(postgres_connections, "_SETTINGS", settings)
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
        assert error.message.startswith(f"The ledger's database {ledger_name(ledger)} cannot be reached (")
        assert error.message.endswith("); nothing was acknowledged.")
    # All that were refused are asked for again; some of them had been charged, with no answer.
    for future in [ledger.submit(spend(key=key)) for key in (*allowed, *(key for key, _ in refused))]:
        assert future.result().allowed
    assert balance(ledger).spent == (len(allowed) + len(refused)) * CENT
    assert len(records(ledger, event="spend", limit=1000)) == len(allowed) + len(refused)
    assert ledger.verify().ok


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
def test_a_commit_whose_answer_is_lost_is_found(postgresql: Backend, proxy: PostgresProxy, key: str) -> None:
    ledger = through(proxy, postgresql)
    ledger.execute(opening())
    proxy.cut_answer = True
    first = ledger.execute(spend(key=key))
    assert proxy.cuts == 1
    assert first.allowed
    assert balance(ledger).spent == CENT
    assert [record.record_id for record in records(ledger, event="spend")] == [first.record_id]
    assert ledger.execute(spend(key="two")).allowed
    assert balance(ledger).spent == 2 * CENT
    assert ledger.verify().ok


def test_an_opening_whose_answer_is_lost_is_found(postgresql: Backend, proxy: PostgresProxy) -> None:
    ledger = through(proxy, postgresql)
    proxy.cut_answer = True
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


# ---- two servers on one database


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


def test_the_same_ask_at_two_servers_is_done_once(postgresql: Backend) -> None:
    ledgers = [postgresql.open(), postgresql.open()]
    ledgers[0].execute(opening(budget=1000 * USD))
    for number in range(40):
        first, second = (ledger.submit(spend(key=f"same-{number}")) for ledger in ledgers)
        assert first.result().charge_id == second.result().charge_id
    assert balance(ledgers[0]).spent == 40 * CENT


def test_a_new_notebook_at_two_servers_is_one(postgresql: Backend) -> None:
    ledgers = [postgresql.open(), postgresql.open()]
    for number in range(30):
        place = at(f"new-{number}.ipynb")
        pending = [ledger.submit(opening(place)) for ledger in ledgers]
        opened = [future.result() for future in pending]
        assert sorted(one.opened for one in opened) == [False, True]
        assert opened[0].state.session_id == opened[1].state.session_id
    assert ledgers[0].verify().ok


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
    # What the first ledger remembers of the notebook is what the second has changed since.
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
    attempt = postgres.PostgresDatabase._attempt

    def counting(self: postgres.PostgresDatabase, *rest: Any) -> Any:
        attempts.append(rest)
        return attempt(self, *rest)

    ledger = postgresql.open()
    ledger.execute(opening())
    ledger.execute(spend())
    monkeypatch.setattr(postgres.PostgresDatabase, "_attempt", counting)
    for _ in range(10):
        ledger.execute(spend())
    assert len(attempts) == 10
