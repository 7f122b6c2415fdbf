"""The keys of the gateway: they are found by their secrets, follow their documents, and end with their processes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import LedgerError, NotFoundError
from aumos_governance.gateway.contract import Keys
from aumos_governance.gateway.keys import PREFIX, GatewayKeys
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery
from tests.ledger.kit import BY_USER, OTHER, at, delete, move, opening
from tests.ledger.kit import closing as close_session

Open = Callable[..., GatewayKeys]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with closing(open_ledger(url)) as made:
        yield made


@pytest.fixture
def served() -> dict[str, NotebookKey]:
    """The notebook that each kernel serves."""
    return {}


@pytest.fixture
def start(ledger: Ledger, served: dict[str, NotebookKey]) -> Iterator[Open]:
    started: list[GatewayKeys] = []

    def start(on: Ledger = ledger, server: str = "here") -> GatewayKeys:
        keys = GatewayKeys(
            on, "ann", "/srv/ann", notebook_of=lambda id: served.get(id, at(f"kernel:{id}")), server=server
        )
        started.append(keys)
        keys.start()
        return keys

    yield start
    for keys in started:
        keys.stop()


@pytest.fixture
def keys(start: Open) -> GatewayKeys:
    return start()


def dropped(keys: GatewayKeys) -> tuple[list[str], threading.Event]:
    heard: list[str] = []
    any_heard = threading.Event()

    def hear(key_id: str) -> None:
        heard.append(key_id)
        any_heard.set()

    keys.on_revoked(hear)
    return heard, any_heard


def test_they_are_what_the_gateway_requests(keys: GatewayKeys) -> None:
    requested: Keys = keys
    assert requested.find("") is None


def test_a_key_is_found_by_its_secret_alone(keys: GatewayKeys) -> None:
    holder, secret = keys.issue("user", "script", notebook=at("key:script"), origin=BY_USER)
    assert secret.startswith(PREFIX)
    assert len(secret) >= len(PREFIX) + 43
    assert keys.find(secret) == holder
    assert (holder.name, holder.kind, holder.caller.notebook) == ("script", "user", at("key:script"))
    assert (holder.caller.actor, holder.caller.scope) == ("key:script", f"key:{holder.key_id}")
    digest = sha256(secret.encode()).hexdigest()
    for other in ("", secret[:-1], secret + "x", secret.upper(), digest, holder.key_id, "sk-aumos-", "\udc80", "é"):
        assert keys.find(other) is None


def test_no_two_keys_are_the_same(keys: GatewayKeys) -> None:
    secrets = {keys.issue("user", name, notebook=at(f"key:{name}"), origin=BY_USER)[1] for name in "abc"}
    assert len(secrets) == 3


def test_the_secret_is_kept_nowhere(
    keys: GatewayKeys, ledger: Ledger, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        held = [
            keys.issue("user", "script", notebook=at("key:script"), origin=BY_USER),
            keys.issue_ahead("kernel", "kernel k", subject="k"),
        ]
        keys.revoke([held[0][0].key_id], "a user revoked it", BY_USER)
    ledger.close()
    files = Path(url.removeprefix("sqlite:///")).parent.glob("*")
    stored = b"".join(file.read_bytes() for file in files)
    for holder, secret in held:
        assert holder.key_id.encode() in stored
        assert secret.encode() not in stored
        assert secret.removeprefix(PREFIX).encode() not in stored
        assert secret not in repr((holder, keys.valid(), vars(keys))) + caplog.text


def test_a_kernels_key_has_the_notebook_that_the_kernel_serves_now(
    keys: GatewayKeys, served: dict[str, NotebookKey]
) -> None:
    holder, secret = keys.issue_ahead("kernel", "kernel k", subject="k")
    assert (holder.name, holder.caller.notebook) == ("kernel k", at("kernel:k"))
    for path in ("a.ipynb", "renamed.ipynb"):
        served["k"] = at(path)
        found = keys.find(secret)
        assert found is not None
        assert (found.name, found.caller.notebook, found.refusal) == (f"kernel of {path}", at(path), None)
        assert (found.caller.actor, found.caller.incarnation) == ("kernel", "here/gateway")


def test_a_restarted_kernel_has_a_new_key_and_the_old_one_is_dead_at_once(keys: GatewayKeys, ledger: Ledger) -> None:
    heard, _ = dropped(keys)
    (old, first), (other, another) = (keys.issue_ahead("kernel", "kernel", subject=id) for id in ("k", "l"))
    new, second = keys.issue_ahead("kernel", "kernel", subject="k")
    assert heard == [old.key_id]
    assert keys.find(first) is None
    assert keys.find(second) == new
    assert keys.find(another) == other
    ledger.execute(opening())
    keys.refresh()
    assert {key.key_id for key in keys.valid()} == {new.key_id, other.key_id}
    events = [entry.event for entry in ledger.read(AuditQuery(session_id="ledger", oldest_first=True)).records]
    assert events == ["key_issued", "key_issued", "key_revoked", "key_issued", "open"]


def test_a_key_dies_with_its_process(keys: GatewayKeys, ledger: Ledger) -> None:
    heard, _ = dropped(keys)
    holder, secret = keys.issue_ahead("kernel", "kernel", subject="k")
    keys.revoke_process("terminal", "k", "it is another one")
    assert keys.find(secret) == holder
    keys.revoke_process("kernel", "k", "its kernel ended")
    keys.revoke_process("kernel", "k", "its kernel ended")
    assert keys.find(secret) is None
    assert heard == [holder.key_id]
    ledger.execute(opening())
    keys.refresh()
    assert keys.valid() == []
    (found,) = ledger.read(AuditQuery(event="key_revoked")).records
    assert found.detail["why"] == "its kernel ended"


def test_a_key_that_the_ledger_does_not_take_is_refused(start: Open, ledger: Ledger) -> None:
    class Failing:
        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        def submit(self, request: object) -> Any:
            raise LedgerError("The disk is full.")

    keys = start(Failing())
    heard, _ = dropped(keys)
    holder, secret = keys.issue_ahead("kernel", "kernel", subject="k")
    assert keys.find(secret) is None
    assert heard == [holder.key_id]


def test_keys_of_users_outlive_the_server_and_those_of_its_processes_do_not(url: str, start: Open) -> None:
    first = open_ledger(url, server="first")
    keys = start(first, "first")
    held = [
        keys.issue("user", "script", notebook=at("key:script"), origin=BY_USER),
        keys.issue("run", "train.py", notebook=OTHER, origin=BY_USER),
        keys.issue("kernel", "kernel", subject="k"),
        keys.issue("terminal", "terminal 1", subject="1"),
    ]
    beside = open_ledger(url, server="second")
    again = start(beside, "second")
    # The keys of the first server stay valid while it runs.
    assert [again.find(secret) is not None for _, secret in held] == [True] * 4
    first.close()
    restarted = start(open_ledger(url, server="third"), "third")
    assert [restarted.find(secret) is not None for _, secret in held] == [True, True, False, False]
    found = restarted.find(held[1][1])
    assert found is not None
    assert (found.key_id, found.caller.notebook) == (held[1][0].key_id, OTHER)


def test_what_another_process_revokes_is_refused_within_a_second(keys: GatewayKeys, url: str, start: Open) -> None:
    holder, secret = keys.issue("user", "script", notebook=at("key:script"), origin=BY_USER)
    heard, any_heard = dropped(keys)
    with closing(open_ledger(url)) as another:
        elsewhere = start(another, "elsewhere")
        assert elsewhere.find(secret) is not None
        elsewhere.revoke([holder.key_id], "a user revoked it", BY_USER)
        assert any_heard.wait(1)
        elsewhere.stop()
    assert keys.find(secret) is None
    assert heard == [holder.key_id]


def test_a_key_issued_while_the_ledger_is_read_stays(keys: GatewayKeys, ledger: Ledger) -> None:
    read = ledger.read
    made: list[str] = []

    def read_and_issue(query: Any) -> Any:
        found = read(query)
        if not made:
            made.append(keys.issue("user", "script", notebook=at("key:script"), origin=BY_USER)[1])
        return found

    ledger.read = read_and_issue  # type: ignore[method-assign]
    keys.refresh()
    assert keys.find(made[0]) is not None


def test_a_key_revoked_while_the_ledger_is_read_does_not_come_back(keys: GatewayKeys, ledger: Ledger) -> None:
    holder, secret = keys.issue("user", "script", notebook=at("key:script"), origin=BY_USER)
    read = ledger.read

    def read_and_revoke(query: Any) -> Any:
        found = read(query)
        keys.revoke([holder.key_id], "a user revoked it", BY_USER)
        return found

    ledger.read = read_and_revoke  # type: ignore[method-assign]
    keys.refresh()
    assert keys.find(secret) is None


def test_one_press_stops_all_keys_of_a_notebook_and_no_other(
    keys: GatewayKeys, ledger: Ledger, served: dict[str, NotebookKey]
) -> None:
    served.update(k=OTHER, m=at("another.ipynb"))
    mine = [
        keys.issue_ahead("kernel", "kernel", subject="k"),
        keys.issue("run", "train.py", notebook=OTHER, origin=BY_USER),
        keys.issue("terminal", "terminal 1", notebook=OTHER, subject="1"),
    ]
    others = [
        keys.issue_ahead("kernel", "kernel", subject="m"),
        keys.issue("user", "script", notebook=at("key:script"), origin=BY_USER),
    ]
    heard, _ = dropped(keys)
    assert {key.key_id for key in keys.stop_notebook(OTHER, BY_USER)} == {holder.key_id for holder, _ in mine}
    assert [keys.find(secret) for _, secret in mine] == [None] * 3
    assert [keys.find(secret) for _, secret in others] == [holder for holder, _ in others]
    assert set(heard) == {holder.key_id for holder, _ in mine}
    found = ledger.read(AuditQuery(event="key_revoked")).records
    assert {(entry.actor, entry.notebook) for entry in found} == {("ann", OTHER.path)}
    assert keys.stop_notebook(OTHER, BY_USER) == []
    _, again = keys.issue_ahead("kernel", "kernel", subject="k")
    assert keys.find(again) is not None


def test_a_listener_that_fails_keeps_no_other_from_hearing(keys: GatewayKeys) -> None:
    def fail(key_id: str) -> None:
        raise RuntimeError(key_id)

    keys.on_revoked(fail)
    heard, _ = dropped(keys)
    ended: list[str] = []
    end = keys.on_revoked(ended.append)
    end()
    holder, _ = keys.issue_ahead("kernel", "kernel", subject="k")
    keys.revoke_process("kernel", "k", "its kernel ended")
    assert heard == [holder.key_id]
    assert ended == []


def test_a_terminals_calls_count_in_the_notebook_that_was_active_last(keys: GatewayKeys, ledger: Ledger) -> None:
    assert keys.default_notebook() is None
    for path in ("a.ipynb", "b.ipynb", "key:script", "kernel:k"):
        ledger.execute(opening(at(path)))
    assert keys.default_notebook() == at("b.ipynb")
    ledger.execute(move("b.ipynb", "c.ipynb"))
    assert keys.default_notebook() == at("c.ipynb")
    ledger.execute(close_session(at("c.ipynb")))
    assert keys.default_notebook() == at("a.ipynb")
    ledger.execute(delete("a.ipynb"))
    assert keys.default_notebook() is None


def test_a_server_that_starts_takes_the_newest_open_session(ledger: Ledger, start: Open) -> None:
    for path in ("z.ipynb", "a.ipynb"):
        ledger.execute(opening(at(path)))
    assert start().default_notebook() == at("a.ipynb")


def test_a_terminal_without_a_notebook_is_refused_with_advice_until_there_is_one(
    keys: GatewayKeys, ledger: Ledger
) -> None:
    holder, secret = keys.issue_ahead("terminal", "terminal 1", subject="1")
    assert holder.refusal is not None
    assert "choose one for the terminal in the governance panel" in holder.refusal
    assert holder.caller.actor == "terminal:1"
    ledger.execute(opening(OTHER))
    keys.refresh()
    found = keys.find(secret)
    assert found is not None
    assert (found.refusal, found.caller.notebook) == (None, OTHER)


def test_a_user_chooses_a_terminals_notebook(keys: GatewayKeys) -> None:
    holder, secret = keys.issue_ahead("terminal", "terminal 1", subject="1", notebook=OTHER)
    keys.bind(holder.key_id, at("chosen.ipynb"), BY_USER)
    found = keys.find(secret)
    assert found is not None
    assert found.caller.notebook == at("chosen.ipynb")
    with pytest.raises(NotFoundError):
        keys.bind("unknown", OTHER, BY_USER)


def test_a_bound_key_follows_its_notebook(keys: GatewayKeys, ledger: Ledger) -> None:
    _, secret = keys.issue("run", "train.py", notebook=OTHER, origin=Origin("ann", person=True))
    for change, path in ((move(OTHER.path, "moved.ipynb"), "moved.ipynb"), (delete("moved.ipynb"), None)):
        ledger.execute(change)
        keys.refresh()
        found = keys.find(secret)
        assert found is not None
        if path is not None:
            assert found.caller.notebook == at(path)
        else:
            assert "was deleted" in (found.refusal or "")


def test_a_request_is_made_under_the_key_that_it_was_given(
    keys: GatewayKeys, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    execute = ledger.execute

    def kept(request: Any) -> Any:
        made.append(request.key)
        return execute(request)

    execute(opening(OTHER))
    monkeypatch.setattr(ledger, "execute", kept)
    holder, _ = keys.issue("terminal", "terminal 1", subject="1", notebook=at("a.ipynb"), key="first")
    keys.bind(holder.key_id, OTHER, key="second")
    keys.revoke([holder.key_id], "not used", key="third")
    assert made == ["first", "second", "third"]
