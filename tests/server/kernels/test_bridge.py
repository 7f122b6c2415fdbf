"""Kernels that start, change, end or cannot be reached, with fake managers instead of processes."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_server.gateway.managers import GatewayMappingKernelManager

from aumos_governance.ledger import open_ledger
from aumos_governance.server.identity.notebook_map import NotebookMap
from aumos_governance.server.kernels import bridge as bridge_module
from aumos_governance.server.kernels.bridge import Bridge
from aumos_governance.server.kernels.kernel_environment import mark_children, mark_kernels
from aumos_governance.server.kernels.readers import Readers
from aumos_governance.service.service import NotebookService
from aumos_governance.wire.protocol import KERNEL_ENV, REPLY_TYPE, STRICT_ENV


class Kernel:
    def __init__(self, *ports: int) -> None:
        self.ports = list(ports)
        self.provisioner = SimpleNamespace(process=object(), pid=1)
        self.alive = True

    async def is_alive(self) -> bool:
        return self.alive


class Kernels(dict[str, Kernel]):
    def list_kernel_ids(self) -> list[str]:
        return list(self)

    def get_kernel(self, kernel_id: str) -> Kernel:
        return self[kernel_id]


class Sessions:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    async def list_sessions(self) -> list[dict[str, Any]]:
        return self.rows

    async def save_session(self, session_id: str, path: str, kernel_id: str) -> str:
        self.rows.append({"id": session_id, "path": path, "type": "notebook", "kernel": {"id": kernel_id}})
        return "saved"

    async def update_session(self, session_id: str, **changes: Any) -> None:
        raise KeyError(session_id)


class FakeTransport:
    """A transport that only logs that it was opened and closed."""

    log: list[str] = []  # noqa: RUF012 - cleared by the fixture

    def __init__(self, kernel: Kernel, conversation: Any, **_: Any) -> None:
        self.ports = kernel.ports[0]

    def open(self) -> None:
        if self.ports == 13:
            raise OSError("no such port")
        self.log.append(f"open {self.ports}")

    def close(self) -> None:
        self.log.append(f"close {self.ports}")


@pytest.fixture
def parts(
    monkeypatch: pytest.MonkeyPatch, jp_asyncio_loop: Any
) -> Iterator[tuple[Bridge, Kernels, Sessions, NotebookMap]]:
    monkeypatch.setattr(bridge_module, "CommTransport", FakeTransport)
    monkeypatch.setattr(bridge_module, "_PORTS_WITHIN", -1.0)
    FakeTransport.log.clear()
    ledger = open_ledger("memory://")
    kernels, sessions, notebooks = Kernels(), Sessions(), NotebookMap("ada", "/root")
    readers = Readers(1)
    try:
        yield (
            Bridge(
                kernels,
                sessions,
                NotebookService(ledger),
                notebooks,
                loop=jp_asyncio_loop,
                readers=readers,
                settle=lambda: None,
                announce=lambda paths: None,
                log=logging.getLogger("bridge"),
            ),
            kernels,
            sessions,
            notebooks,
        )
    finally:
        readers.shutdown()
    ledger.close()


async def test_kernels_come_move_and_go(parts: Any) -> None:
    bridge, kernels, _, _ = parts
    kernels["a"] = Kernel(1, 2, 3)
    assert bridge._reconcile() is True
    assert bridge._reconcile() is False
    kernels["a"].ports = [4, 5, 6]
    assert bridge._reconcile() is True
    del kernels["a"]
    assert bridge._reconcile() is True
    assert FakeTransport.log == ["open 1", "close 1", "open 4", "close 4"]


async def test_processes_that_have_keys_are_looked_at_more_often_than_all_else(
    parts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge, kernels, _, _ = parts
    monkeypatch.setattr(bridge_module, "_CHECK_SECONDS", 60.0)
    monkeypatch.setattr(bridge_module, "_PROCESS_CHECK_SECONDS", 0.01)
    looks: asyncio.Queue[bool] = asyncio.Queue()
    bridge._keys = SimpleNamespace(
        note_process=lambda kernel_id, process, alive: looks.put_nowait(alive), note_kernels=lambda kernel_ids: None
    )
    kernels["a"] = Kernel(1)
    watch = asyncio.ensure_future(bridge._watch_kernels())
    assert await asyncio.wait_for(looks.get(), 20)
    kernels["a"].alive = False
    while await asyncio.wait_for(looks.get(), 20):
        pass
    watch.cancel()


async def test_a_kernel_that_cannot_be_reached_is_named_once(parts: Any, caplog: pytest.LogCaptureFixture) -> None:
    bridge, kernels, _, _ = parts
    kernels.update(remote=Kernel(0, 0), broken=Kernel(13), good=Kernel(1))
    for _ in range(3):
        bridge._reconcile()
    assert FakeTransport.log.count("open 1") == 1
    warnings = [record.getMessage() for record in caplog.records]
    end = ": all its governance requests fail, and no governed call is allowed."
    assert sorted(warnings) == [
        f"Kernel broken cannot be governed (no such port){end}",
        "Kernel remote cannot be governed (it has no ports on this machine, like a kernel behind a Jupyter gateway)"
        + end,
    ]


async def test_the_kernels_are_listed_with_what_is_known_of_each(parts: Any) -> None:
    bridge, kernels, sessions, _ = parts
    bridge.follow_sessions()
    kernels.update(remote=Kernel(0, 0), near=Kernel(1), bare=Kernel(2))
    await sessions.save_session("s", "b.ipynb", "remote")
    await sessions.save_session("t", "a.ipynb", "near")
    bridge._reconcile()
    bridge._presences["near"].meet("nonce")
    bridge._presences["near"].transport = "socket"
    bridge.note_foreign_keys("near", ("OPENAI_API_KEY",))
    assert bridge.kernels() == [
        {
            "id": "near",
            "notebook": "a.ipynb",
            "reachable": True,
            "transport": "socket",
            "foreign_keys": ["OPENAI_API_KEY"],
        },
        {"id": "remote", "notebook": "b.ipynb", "reachable": False, "transport": None, "foreign_keys": []},
        {"id": "bare", "notebook": "kernel:bare", "reachable": True, "transport": None, "foreign_keys": []},
    ]
    bridge._presences["near"].leave()
    assert bridge.kernels()[0]["transport"] is None


async def test_a_gateways_kernel_is_known_for_one_at_once(parts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bridge, kernels, _, _ = parts
    monkeypatch.setattr(bridge_module, "_PORTS_WITHIN", 3_600.0)
    kernels["a"] = Kernel()
    bridge._reconcile()
    assert bridge.kernels()[0]["reachable"] is True, "one that is being started here has no ports yet"
    monkeypatch.setattr(bridge_module, "GatewayMappingKernelManager", Kernels)
    bridge._reconcile()
    (found,) = bridge.kernels()
    assert found == {
        "id": "a",
        "notebook": "kernel:a",
        "reachable": False,
        "transport": None,
        "foreign_keys": [],
    }


async def test_a_saved_session_is_known_at_once(parts: Any) -> None:
    bridge, _, sessions, notebooks = parts
    bridge.follow_sessions()
    assert await sessions.save_session("s", "a.ipynb", "k") == "saved"
    assert notebooks.notebook_of("k").path == "a.ipynb"
    with pytest.raises(KeyError):
        await sessions.update_session("unknown")


async def test_rows_that_cannot_be_read_harm_no_session(parts: Any, caplog: pytest.LogCaptureFixture) -> None:
    bridge, _, sessions, _ = parts
    bridge.follow_sessions()
    sessions.rows.append({"broken": True})
    assert await sessions.save_session("s", "a.ipynb", "k") == "saved"
    assert "could not be read" in caplog.text


async def test_the_watch_outlives_a_failure(parts: Any, caplog: pytest.LogCaptureFixture) -> None:
    bridge, kernels, sessions, _ = parts
    sessions.rows.append({"broken": True})
    kernels["a"] = Kernel(1)
    bridge.start()
    await asyncio.sleep(0.01)
    assert "could not be checked" in caplog.text
    kernels["b"] = Kernel(2)
    await bridge.on_kernel_event(None, "", {"action": "nonsense"})
    await asyncio.sleep(0.01)
    await bridge.stop()
    assert FakeTransport.log == ["open 1", "open 2", "close 1", "close 2"]


# ---- what kernels and pages are notified of


class Gateway(GatewayMappingKernelManager):
    """A Jupyter gateway's kernel manager that starts nothing."""

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}

    async def start_kernel(self, **kwargs: Any) -> str:
        self.started = kwargs
        return "an id of the gateway's own"


async def test_a_gateways_kernel_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KERNEL_ENV, "of the kernel this server was started in")
    gateway = Gateway()
    monkeypatch.delenv(STRICT_ENV, raising=False)
    unmark = mark_children(strict=True)
    assert KERNEL_ENV not in os.environ
    assert os.environ[STRICT_ENV] == "1"
    unmark()
    assert STRICT_ENV not in os.environ
    mark_kernels(gateway, strict=True, documents=None, name=lambda kernel_id, path: None)  # type: ignore[arg-type]
    await gateway.start_kernel(path="x", env={"A": "1"})
    assert gateway.started["env"]["A"] == "1"
    assert gateway.started["env"][STRICT_ENV] == "1"
    assert json.loads(gateway.started["env"][KERNEL_ENV]) == {"v": 1, "kernel_id": None, "strict": True}


def test_responses_do_not_count_as_activity(jp_serverapp: Any) -> None:
    untracked = jp_serverapp.kernel_manager.untracked_message_types
    assert untracked.count(REPLY_TYPE) == 1
    assert "execute_input" in untracked
    assert jp_serverapp.web_app.settings["page_config_data"]["untracked_message_types"] == untracked
