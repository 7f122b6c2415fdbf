"""The gateway in a server: it starts if a provider is configured, keeps its port, and stops before the ledger."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.gateway import listener
from aumos_governance.gateway.configuration.providers import read_providers
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.server.gateway.port_memory import PortMemory
from aumos_governance.server.gateway.served_gateway import ServedGateway
from aumos_governance.server.identity.notebook_map import NotebookMap
from aumos_governance.service.service import NotebookService
from tests.server.described import check
from tests.server.gateway.stand_in import StandIn

PROVIDERS = {
    "openai": {"key_env": "TEAM_KEY", "models": ["gpt-5*"], "denied_models": ["gpt-5-pro"]},
    "vllm": {},
}


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[StandIn]]:
    monkeypatch.setenv("TEAM_KEY", "sk-secret")
    monkeypatch.setattr(listener, "Gateway", StandIn)
    StandIn.made.clear()
    yield StandIn.made
    StandIn.made.clear()


class Servers:
    """Servers that are started one after the other with the same folders."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.messages: list[str] = []
        self._log = logging.getLogger(f"served-gateway-{folder.name}")
        handler = logging.Handler()
        handler.emit = lambda record: self.messages.append(record.getMessage())  # type: ignore[method-assign]
        self._log.addHandler(handler)
        self._open: list[tuple[ServedGateway, NotebookService]] = []

    def start(self, port: int = 0) -> ServedGateway:
        root = str(self._folder)
        ledger = open_ledger("memory://")
        service = NotebookService(ledger, SessionTerms())
        notebooks = NotebookMap("ada", root)
        gateway = ServedGateway(
            read_providers(PROVIDERS),
            service,
            notebooks,
            PortMemory(self._folder / "aumos_governance", root, port),
            server="server-1",
            log=self._log,
        )
        self._open.append((gateway, service))
        gateway.start()
        return gateway

    def stop(self) -> None:
        while self._open:
            gateway, service = self._open.pop()
            gateway.stop()
            service.ledger.close()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    found = Servers(tmp_path)
    yield found
    found.stop()


def address(gateway: ServedGateway) -> str:
    found: str = gateway.body()["address"]
    return found


def test_a_server_that_starts_again_listens_at_the_same_port(servers: Servers) -> None:
    first = address(servers.start())
    servers.stop()
    assert address(servers.start()) == first


def test_a_configured_port_counts_and_is_not_remembered(servers: Servers) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first = address(servers.start())
    servers.stop()
    assert address(servers.start(port)) == f"http://127.0.0.1:{port}"
    servers.stop()
    assert address(servers.start()) == first


def test_a_second_server_of_the_same_folder_takes_another_port_and_says_so(servers: Servers) -> None:
    first = address(servers.start())
    second = address(servers.start())
    assert second != first
    assert any("another program uses port" in message for message in servers.messages)
    servers.stop()
    assert address(servers.start()) == first


@pytest.mark.parametrize("content", ["", "no port", "99999", "-1"])
def test_a_damaged_memory_is_no_port(tmp_path: Path, content: str) -> None:
    memory = PortMemory(tmp_path, "/root")
    memory.remember(4321)
    (path,) = tmp_path.iterdir()
    assert memory.wanted() == 4321
    path.write_text(content)
    assert memory.wanted() == 0


def test_a_process_finds_the_gateway_past_the_servers_proxy(
    servers: Servers, stand_in: list[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "a.example")
    monkeypatch.delenv("no_proxy", raising=False)
    gateway = servers.start()
    found = gateway.issuers.requests._environment.variables("sk-aumos-test")
    assert found["OPENAI_BASE_URL"] == f"{address(gateway)}/llm/openai/v1"
    assert found["NO_PROXY"] == "a.example,127.0.0.1,localhost"


class TestConfigured:
    @pytest.fixture
    def governance_config(self) -> dict[str, Any]:
        return {"providers": PROVIDERS}

    async def test_the_configuration_shows_the_providers_and_no_key(self, rest: Any, stand_in: list[StandIn]) -> None:
        body = (await rest("GET", "config")).body
        check("Config", body)
        assert body["gateway"]["providers"] == [
            {"name": "openai", "api": "openai", "models": ["gpt-5*"], "denied_models": ["gpt-5-pro"]},
            {"name": "vllm", "api": "openai", "models": [], "denied_models": []},
        ]
        assert "sk-secret" not in str(body)
        (gateway,) = stand_in
        assert list(gateway.upstreams) == ["openai", "vllm"]

    async def test_the_gateway_is_stopped_before_the_ledger_is_closed(
        self, jp_serverapp: Any, stand_in: list[StandIn]
    ) -> None:
        await jp_serverapp._cleanup()
        (gateway,) = stand_in
        assert gateway.stopped


class TestTurnedOff:
    @pytest.fixture
    def governance_config(self) -> dict[str, Any]:
        # The variable does not exist, which is no error since the gateway is off.
        return {"providers": {"openai": {"key_env": "NO_SUCH_KEY"}}, "gateway": False}

    async def test_no_gateway_runs(self, rest: Any, stand_in: list[StandIn]) -> None:
        assert (await rest("GET", "config")).body["gateway"] is None
        assert stand_in == []


async def test_without_a_provider_no_gateway_runs(rest: Any, stand_in: list[StandIn]) -> None:
    assert (await rest("GET", "config")).body["gateway"] is None
    assert stand_in == []


@pytest.mark.parametrize(("before", "meanwhile"), [(0.005, 0.0002), (0.0001, 0.0001)], ids=["longer", "shorter"])
def test_threads_give_way_to_the_gateway_s_soon_while_it_runs(
    servers: Servers, before: float, meanwhile: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    interval = [before]
    monkeypatch.setattr(sys, "getswitchinterval", lambda: interval[-1])
    monkeypatch.setattr(sys, "setswitchinterval", interval.append)
    servers.start()
    assert interval[-1] == meanwhile
    servers.stop()
    assert interval[-1] == before
