"""The gateway's keys follow changes of the ledger and of their server's processes, without needless requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import LedgerError
from aumos_governance.gateway import keys as keys_module
from aumos_governance.gateway.keys import GatewayKeys
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.keys import RevokeKeys
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.wire.protocol import Cell
from tests.ledger.kit import BY_USER, OTHER, SERVER, at, delete, move, opening, records, spend

PATIENCE = 20.0
CELL = Cell("cell", 3)


class Followed:
    """A ledger whose submitted requests a test completes itself, where it sets ``submitted`` to a list."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.submitted: list[Future[Any]] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def submit(self, request: Any) -> Future[Any]:
        if self.submitted is None:
            return self._ledger.submit(request)
        self.submitted.append(Future())
        return self.submitted[-1]


class Keys(GatewayKeys):
    """Counts how often the keys are read from the ledger, and fails as often as a test wants."""

    failures = 0
    looked = 0

    def refresh(self) -> None:
        self.looked += 1
        try:
            if self.failures:
                self.failures -= 1
                raise LedgerError("The disk is gone for a moment.")
            super().refresh()
        finally:
            self.done.set()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as made:
        yield made


@pytest.fixture
def seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys are not read again regularly, only after an event."""
    monkeypatch.setattr(keys_module, "_REFRESH_SECONDS", 600.0)


@pytest.fixture
def served() -> dict[str, NotebookKey]:
    return {}


@pytest.fixture
def cells() -> dict[str, Cell]:
    return {}


@pytest.fixture
def followed(ledger: Ledger) -> Followed:
    return Followed(ledger)


@pytest.fixture
def keys(followed: Followed, served: dict[str, NotebookKey], cells: dict[str, Cell]) -> Iterator[Keys]:
    keys = made(followed, served, cells)
    yield keys
    keys.stop()


def made(ledger: Any, served: dict[str, NotebookKey], cells: dict[str, Cell], server: str = "here") -> Keys:
    def serves(kernel: str) -> NotebookKey:
        return served.get(kernel, at(f"kernel:{kernel}"))

    keys = Keys(ledger, "ann", "/srv/ann", notebook_of=serves, cells=cells, server=server)
    keys.done = threading.Event()
    return keys


def started(keys: Keys) -> Keys:
    keys.start()
    keys.looked = 0
    keys.done.clear()
    return keys


def looked(keys: Keys) -> None:
    assert keys.done.wait(PATIENCE)
    keys.done.clear()


def busy(ledger: Ledger) -> None:
    """Spend some time, in which a thread that did not sleep would read the ledger."""
    for _ in range(30):
        ledger.execute(spend(1))


# ---- following the ledger


@pytest.mark.usefixtures("seldom")
def test_the_ledger_is_read_when_sessions_come_and_go_and_not_all_the_time(keys: Keys, ledger: Ledger) -> None:
    ledger.execute(opening())
    started(keys)
    busy(ledger)
    assert keys.looked == 0
    ledger.execute(opening(OTHER))
    looked(keys)
    ledger.execute(move(OTHER.path, "moved.ipynb"))
    looked(keys)
    busy(ledger)
    assert keys.looked == 2


def test_a_ledger_that_cannot_be_read_is_read_again(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys_module, "_REFRESH_SECONDS", 0.001)
    started(keys).failures = 2
    while keys.failures:
        looked(keys)
    looked(keys)
    assert keys.looked > 2


@pytest.mark.usefixtures("seldom")
def test_the_end_waits_for_what_is_under_way_and_hears_nothing_more(keys: Keys, ledger: Ledger) -> None:
    started(keys)
    threads = [thread for thread in threading.enumerate() if thread.name == "aumos-governance-keys"]
    # A daemon thread does not keep a server's process alive that ends without `stop`.
    assert [thread.daemon for thread in threads] == [True]
    keys.stop()
    assert not threads[0].is_alive()
    ledger.execute(opening(OTHER))
    assert keys.default_notebook() is None


def test_what_was_never_started_can_be_stopped(keys: Keys) -> None:
    keys.stop()
    keys.stop()


def test_a_key_revoked_elsewhere_right_after_it_was_issued_here_is_refused(keys: Keys, ledger: Ledger) -> None:
    holder, secret = keys.issue_ahead("kernel", "kernel", subject="k")
    ledger.execute(opening())
    assert keys.find(secret) is not None
    ledger.execute(RevokeKeys(key="", origin=SERVER, key_ids=(holder.key_id,), why="a user revoked it"))
    keys.refresh()
    assert keys.find(secret) is None


# ---- what the ledger does late


def test_a_key_is_listed_without_its_time_until_the_ledger_has_it(keys: Keys, followed: Followed) -> None:
    followed.submitted = []
    _, secret = keys.issue_ahead("kernel", "kernel", subject="k")
    assert keys.find(secret) is not None
    assert [key.issued_at for key in keys.valid()] == [0]


def test_a_key_whose_record_fails_later_is_refused_from_then_on(
    keys: Keys, followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    followed.submitted = []
    _, secret = keys.issue_ahead("kernel", "kernel", subject="k")
    followed.submitted[0].set_exception(LedgerError("The disk is full."))
    assert keys.find(secret) is None
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_errors_are_in_the_log_that_is_given(followed: Followed, caplog: pytest.LogCaptureFixture) -> None:
    followed.submitted = []
    log = logging.getLogger("tests.gateway.keys")
    keys = GatewayKeys(followed, "ann", "/srv/ann", notebook_of=at, log=log)  # type: ignore[arg-type]
    keys.issue_ahead("kernel", "kernel", subject="k")
    followed.submitted[0].set_exception(LedgerError("The disk is full."))
    assert [record.name for record in caplog.records] == [log.name]


def test_that_a_key_was_revoked_and_not_recorded_is_logged(
    keys: Keys, followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    followed.submitted = []
    for kernel in ("k", "l"):
        keys.issue_ahead("kernel", "kernel", subject=kernel)
        keys.revoke_process("kernel", kernel, "its kernel ended")
    followed.submitted[3].set_result(None)
    assert caplog.records == []
    followed.submitted[1].set_exception(LedgerError("The disk is full."))
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert keys.valid() == []


def test_the_end_of_a_process_without_a_key_is_not_recorded(
    keys: Keys, followed: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    followed.submitted = []
    keys.revoke_process("kernel", "unknown", "its kernel ended")
    assert followed.submitted == []
    assert caplog.records == []


def test_a_ledger_that_takes_nothing_keeps_no_process_from_ending(
    keys: Keys, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, secret = keys.issue_ahead("kernel", "kernel", subject="k")

    def fails(_: object) -> Any:
        raise LedgerError("The ledger is closed.")

    monkeypatch.setattr(followed, "submit", fails)
    keys.revoke_process("kernel", "k", "its kernel ended")
    assert keys.find(secret) is None


# ---- processes


def test_a_call_has_the_cell_of_its_kernel_and_no_new_process_that_of_the_one_before(
    keys: Keys, cells: dict[str, Cell]
) -> None:
    _, secret = keys.issue_ahead("kernel", "kernel", subject="k")
    cells["kernel:k"] = CELL
    found = keys.find(secret)
    assert found is not None
    assert found.caller.cell == CELL
    holder, _ = keys.issue_ahead("kernel", "kernel", subject="k")
    assert holder.caller.cell is None
    cells["kernel:k"] = CELL
    keys.revoke_process("kernel", "k", "its kernel ended")
    assert cells == {}
    cells["kernel:gone"] = CELL
    keys.revoke_process("kernel", "gone", "its kernel ended")
    assert cells == {}


def test_the_end_of_a_kernel_is_recorded_in_its_notebook(
    keys: Keys, ledger: Ledger, served: dict[str, NotebookKey]
) -> None:
    ledger.execute(opening(OTHER))
    served["k"] = OTHER
    keys.issue_ahead("kernel", "kernel", subject="k")
    keys.issue_ahead("terminal", "terminal 1", subject="1", notebook=at("t.ipynb"))
    keys.revoke_process("kernel", "k", "its kernel ended")
    keys.revoke_process("terminal", "1", "its terminal ended")
    ledger.execute(opening())
    found = [(entry.notebook, entry.detail["why"]) for entry in records(ledger, event="key_revoked")]
    assert found == [(OTHER.path, "its kernel ended"), ("t.ipynb", "its terminal ended")]


def test_the_end_of_a_terminal_is_not_recorded_in_the_notebook_of_a_kernel_with_its_name(
    keys: Keys, ledger: Ledger, served: dict[str, NotebookKey]
) -> None:
    ledger.execute(opening(OTHER))
    served["1"] = OTHER
    keys.issue_ahead("terminal", "terminal 1", subject="1")
    keys.revoke_process("terminal", "1", "its terminal ended")
    ledger.execute(opening())
    assert [entry.notebook for entry in records(ledger, event="key_revoked")] == [""]


def test_a_server_that_ends_revokes_the_keys_of_its_own_processes_alone(keys: Keys, ledger: Ledger) -> None:
    there = made(ledger, {}, {}, server="there")
    gone = [keys.issue("kernel", "kernel", subject="k"), keys.issue("terminal", "terminal 1", subject="1")]
    kept = [
        keys.issue("user", "script", notebook=at("key:script"), origin=BY_USER),
        there.issue("kernel", "kernel", subject="k"),
    ]
    keys.refresh()
    keys.revoke_server()
    keys.revoke_server()
    assert [keys.find(secret) for _, secret in gone] == [None, None]
    assert all(keys.find(secret) is not None for _, secret in kept)
    assert len(records(ledger, event="key_revoked")) == 2


def test_only_a_terminal_without_a_notebook_is_given_one(keys: Keys, ledger: Ledger) -> None:
    chosen, deleted = at("chosen.ipynb"), at("deleted.ipynb")
    made = [
        keys.issue("terminal", "terminal 1", subject="1", notebook=chosen),
        keys.issue("run", "train.py", notebook=deleted, origin=BY_USER),
        keys.issue("kernel", "kernel", subject="k"),
    ]
    keys.start()
    ledger.execute(opening(deleted))
    ledger.execute(delete("deleted.ipynb"))
    keys.refresh()
    keys.issue("terminal", "terminal 2", subject="2")
    ledger.execute(opening(OTHER))
    keys.refresh()
    documents = {key.name: keys.document(key) for key in keys.valid()}
    assert documents == {"terminal 1": chosen, "train.py": None, "kernel": at("kernel:k"), "terminal 2": OTHER}
    assert [entry.notebook for entry in records(ledger, event="key_bound")] == [OTHER.path]
    found = keys.find(made[1][1])
    assert found is not None
    assert "was deleted" in (found.refusal or "")
    assert found.caller.notebook == at(f"run:{made[1][0].key_id}")
