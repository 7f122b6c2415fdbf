"""Each cell is reported when it begins, if the server has a gateway; no cell waits for a server that has ended."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from aumos_governance.errors import ServerUnreachableError
from aumos_governance.kernel.governed import cell_reports
from aumos_governance.kernel.requests import connection
from aumos_governance.wire.provider_keys import GATEWAY_ENV


class Client:
    """A fake client that counts its requests; it has ``met`` the server after the first one that is reachable."""

    def __init__(self, *, reachable: bool = True) -> None:
        self.met = False
        self.requested = 0
        self.mentioned: list[Any] = []
        self.waited: list[float] = []
        self.silent = False
        self._reachable = reachable

    def request(self, op: str, *, cell: Any) -> dict[str, Any]:
        self.requested += 1
        if not self._reachable:
            raise ServerUnreachableError("gone")
        self.met = True
        return {}

    def notify(self, op: str, *, cell: Any, seconds: float) -> bool:
        self.mentioned.append((op, cell.count))
        self.waited.append(seconds)
        return not self.silent and seconds > 0


class Events:
    def __init__(self) -> None:
        self.callbacks: dict[str, list[Any]] = {"pre_run_cell": []}

    def register(self, event: str, function: Any) -> None:
        self.callbacks[event].append(function)

    def unregister(self, event: str, function: Any) -> None:
        self.callbacks[event].remove(function)

    def run(self) -> None:
        for function in tuple(self.callbacks["pre_run_cell"]):
            function(None)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(GATEWAY_ENV, "http://127.0.0.1:4321/llm")
    return SimpleNamespace(events=Events(), displayhook=SimpleNamespace(prompt_count=7), kernel=None)


def connect(monkeypatch: pytest.MonkeyPatch, client: Client) -> Client:
    monkeypatch.setattr(connection, "connect", lambda shell: SimpleNamespace(client=client))
    return client


def test_the_server_is_met_once_and_each_report_is_waited_for(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect(monkeypatch, Client())
    cell_reports.follow(shell)
    for _ in range(3):
        shell.events.run()
    assert (client.requested, client.mentioned) == (1, [("cell", 7), ("cell", 7)])
    assert client.waited == [1.0, 1.0]


def test_a_server_that_is_silent_is_waited_for_once_a_minute(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, now = connect(monkeypatch, Client()), [100.0]
    reports = cell_reports.CellReports(shell, monotonic=lambda: now[0])
    reports.begin()
    client.silent = True
    for now[0] in (100.0, 101.0, 159.0, 160.0):
        reports.begin()
    assert client.waited == [1.0, 0.0, 0.0, 1.0]
    client.silent = False
    for now[0] in (219.0, 220.0, 221.0):
        reports.begin()
    assert client.waited[4:] == [0.0, 1.0, 1.0]
    assert len(client.mentioned) == 7


def test_a_server_that_is_gone_is_waited_for_once(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect(monkeypatch, Client(reachable=False))
    cell_reports.follow(shell)
    for _ in range(3):
        shell.events.run()
    assert (client.requested, client.mentioned) == (1, [])


def test_without_a_gateway_nothing_is_reported(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GATEWAY_ENV)
    cell_reports.follow(shell)
    assert shell.events.callbacks["pre_run_cell"] == []


def test_loading_again_reports_once_and_unloading_ends_it(shell: Any) -> None:
    cell_reports.follow(shell)
    cell_reports.follow(shell)
    assert len(shell.events.callbacks["pre_run_cell"]) == 1
    cell_reports.unfollow(shell)
    cell_reports.unfollow(shell)
    assert shell.events.callbacks["pre_run_cell"] == []
