"""A spend or hold whose commit is not confirmed: its caller gets an error, and if it was committed it is taken back."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, LedgerError, NotConfirmedError
from aumos_governance.ledger.contract.facts import SessionState
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.requests import Request
from tests.ledger.charges import hold
from tests.ledger.kit import (
    CENT,
    Backend,
    balance,
    opening,
    records,
    spend,
)
from tests.ledger.postgres_proxy import PostgresProxy
from tests.ledger.postgres_server import PostgresServer

SENTENCE = (
    r"was lost during a commit \(.+\), so it is not confirmed that the request was recorded;"
    r" a spend or hold is reversed"
)
TOOL = "the-tool-in-doubt"


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[PostgresProxy]:
    with tempfile.TemporaryDirectory(prefix="aumos-proxy-") as folder:
        made = PostgresProxy(Path(folder), postgres_server.folder)
        made.folder = folder  # type: ignore[attr-defined]
        made.start()
        yield made
        made.end()


def through(proxy: PostgresProxy, backend: Backend) -> Ledger:
    backend.url = f"{backend.url.partition('=')[0]}={proxy.folder}"  # type: ignore[attr-defined]
    ledger = backend.open()
    ledger.execute(opening())
    ledger.execute(spend())
    return ledger


def voided(ledger: Ledger) -> threading.Event:
    """Return an event that is set as soon as only the first cent counts."""
    event = threading.Event()

    def look(states: tuple[SessionState, ...]) -> None:
        for state in states:
            if state.balance is not None and (state.balance.spent, state.balance.held) == (CENT, 0):
                event.set()

    ledger.subscribe(look)
    return event


@pytest.mark.parametrize("key", ["one", ""])
@pytest.mark.parametrize("make", [spend, hold])
def test_what_was_committed_unheard_is_taken_back_when_the_database_is_back(
    postgresql: Backend, proxy: PostgresProxy, make: Callable[..., Request[Any]], key: str
) -> None:
    ledger = through(proxy, postgresql)
    back = voided(ledger)
    request = make(key=key, tool=TOOL)
    proxy.cut_response = proxy.refuse_after_cut = True
    with pytest.raises(NotConfirmedError, match=SENTENCE) as raised:
        ledger.execute(request)
    assert raised.value.code == "NOT_CONFIRMED"
    proxy.refuses = proxy.refuse_after_cut = False
    # The thread takes it back although no other request is made.
    assert back.wait(30)
    assert (balance(ledger).spent, balance(ledger).held) == (CENT, 0)
    assert [(record.event, record.tool) for record in records(ledger)][-2:] == [
        ("spend" if make is spend else "hold", TOOL),
        ("void", TOOL),
    ]
    assert records(ledger)[-1].detail == {"unconfirmed": True} | ({"ask": key} if key else {})
    if key:
        with pytest.raises(ConflictError, match="cancelled"):
            ledger.execute(request)
    assert ledger.execute(spend()).allowed
    assert ledger.verify().ok


def test_what_never_reached_the_database_leaves_nothing_to_take_back(postgresql: Backend, proxy: PostgresProxy) -> None:
    ledger: Any = through(proxy, postgresql)
    proxy.cut_at, proxy.refuse_after_cut = TOOL.encode(), True
    request = hold(tool=TOOL)
    with pytest.raises(LedgerError):
        ledger.execute(request)
    proxy.cut_at, proxy.refuses, proxy.refuse_after_cut = b"", False, False
    # When this thread has ended, it has looked for the charge, and found none to take back.
    looking = ledger._unconfirmed._thread
    if looking is not None:
        looking.join(30)
    assert not ledger._unconfirmed
    assert (balance(ledger).spent, balance(ledger).held) == (CENT, 0)
    assert [record.event for record in records(ledger)] == ["open", "spend"]
    assert ledger.execute(request).allowed
    assert ledger.verify().ok


def test_what_is_requested_again_gets_its_response_and_is_not_taken_back(
    postgresql: Backend, proxy: PostgresProxy
) -> None:
    ledger: Any = through(proxy, postgresql)
    # The thread is replaced, so that the same request comes before the charge is taken back.
    unconfirmed = ledger._unconfirmed
    unconfirmed._thread = threading.current_thread()
    request = hold(tool=TOOL)
    proxy.cut_response = proxy.refuse_after_cut = True
    with pytest.raises(NotConfirmedError):
        ledger.execute(request)
    assert unconfirmed
    proxy.refuses = proxy.refuse_after_cut = False
    assert ledger.execute(request).allowed
    assert not unconfirmed
    unconfirmed._take_back()
    assert balance(ledger).held == 10 * CENT
    assert [record.event for record in records(ledger)] == ["open", "spend", "hold"]


class FailingCommits:
    """A connection whose next commit reports an error of the disk, before or after it was done."""

    def __init__(self, connection: sqlite3.Connection, *, done: bool) -> None:
        self._connection = connection
        self._done = done
        self._left = 1

    def execute(self, text: str, *values: Any) -> Any:
        if text == "COMMIT" and self._left:
            self._left -= 1
            if self._done:
                self._connection.execute(text)
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(text, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@pytest.mark.parametrize("done", [True, False])
def test_a_disk_that_fails_at_a_commit(sqlite: Backend, done: bool) -> None:
    ledger: Any = sqlite.open()
    ledger.execute(opening())
    ledger.execute(spend())
    ledger._database._writer = FailingCommits(ledger._database._writer, done=done)
    unconfirmed = ledger._unconfirmed
    request = hold(tool=TOOL)
    with pytest.raises(NotConfirmedError, match="reported an error during a commit, so it is not confirmed"):
        ledger.execute(request)
    looking = unconfirmed._thread
    if looking is not None:
        looking.join(30)
    assert not unconfirmed
    assert (balance(ledger).spent, balance(ledger).held) == (CENT, 0)
    assert [record.event for record in records(ledger)][2:] == (["hold", "void"] if done else [])
    assert ledger.verify().ok


def test_several_requests_of_one_commit_are_all_in_doubt_and_none_is_done_twice(sqlite: Backend) -> None:
    ledger: Any = sqlite.open()
    ledger.execute(opening())
    ledger.execute(spend())
    ledger._database._writer = FailingCommits(ledger._database._writer, done=True)
    requests = [hold(tool=TOOL, key=""), spend(tool=TOOL, key=""), spend(tool=TOOL, key="kept")]
    outcomes = ledger._batch(requests)
    assert [type(outcome) for outcome in outcomes] == [NotConfirmedError] * 3
    looking = ledger._unconfirmed._thread
    if looking is not None:
        looking.join(30)
    assert (balance(ledger).spent, balance(ledger).held) == (CENT, 0)
    assert sorted(record.event for record in records(ledger))[2:] == ["spend"] * 3 + ["void"] * 3
    assert ledger.verify().ok
