"""A server with a gateway, a kernel, a provider and a client, each a process that a test may kill."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.bridge.gateway_crowds.books import PRICES, Books, check
from tests.bridge.gateway_crowds.client import Call, Work
from tests.bridge.gateway_crowds.programs import ClientProgram, UpstreamProgram
from tests.bridge.live_server import GOVERNANCE, LiveKernel, LiveServer, until

NOTEBOOK = "agents.ipynb"
WORKERS = 8
FIRST_LIMIT = 10_000
"""The first call's output limit; each further one is one higher. All have five digits, so requests have one length."""
SCRIPT, KERNEL = 0, 1
"""The two keys that calls are made with, by their index."""
ROOMS = ("0.15", "2", "200")
"""The amounts in USD that a round may spend, for a few of its calls, most of them, or all."""


def server_at(home: Path, upstream: UpstreamProgram) -> LiveServer:
    live = LiveServer(home, environment={"TEAM_KEY": "sk-provider"})
    providers = {"openai": {"key_env": "TEAM_KEY", "base_url": upstream.url, "prices": PRICES}}
    (home / "config" / "jupyter_server_config.py").write_text(f"c.GovernanceExtension.providers = {providers!r}\n")
    return live


def key_for(server: LiveServer, path: str) -> dict[str, str]:
    """Return the environment of a script that has a key of this notebook."""
    made = server.json("POST", GOVERNANCE + "keys", json={"kind": "run", "name": "script", "path": path})
    return dict(made["environment"])


@dataclass
class Figures:
    """The results of a soak."""

    kills: dict[str, int] = field(default_factory=dict)
    whole: int = 0
    """The number of calls whose complete response the client has received."""
    ends: dict[str, int] = field(default_factory=dict)
    """The number of calls by their end for the client."""
    charges: int = 0
    in_doubt: int = 0
    """Complete calls whose charge a killed server has not recorded, so that their hold still counts."""
    unknown: int = 0
    """The number of holds of unknown outcome."""
    key_seconds: list[float] = field(default_factory=list)
    """The longest time in which each killed kernel's key was still accepted, in seconds."""
    closing_seconds: list[float] = field(default_factory=list)
    """The time until the last call of each killed client ended at the provider, in seconds."""


class Scene:
    def __init__(self, home: Path, chance: random.Random) -> None:
        self.chance = chance
        self.figures = Figures()
        self.upstream = UpstreamProgram()
        self.client = ClientProgram()
        self.server = server_at(home, self.upstream)
        self.books = Books(self.server, NOTEBOOK)
        self._limit = FIRST_LIMIT
        self._kernel: LiveKernel | None = None
        self._kernel_key = ""
        self._kernel_pid = 0

    def start(self) -> None:
        self.server.start()
        self.server.write_notebook(NOTEBOOK)
        self._patch({"trust_level": 2, "budget": "1"})
        script = key_for(self.server, NOTEBOOK)
        self._base_url, self._script_key = script["OPENAI_BASE_URL"], script["OPENAI_API_KEY"]

    def close(self) -> None:
        self.client.kill()
        if self._kernel is not None:
            self._forget_kernel()
        self.server.close()
        self.upstream.kill()

    # ---- one round

    def round(self, victim: str) -> None:
        """Kill one of the processes at a random moment while calls run, and check the calls and records."""
        self._have_kernel()
        room = self.chance.choice(ROOMS)
        self._allow(room)
        keys = [self._script_key, self._kernel_key]
        self.client.work(Work(self._base_url, keys, WORKERS, self.chance.getrandbits(32), self._limit))
        # Two hanging calls may hold two thirds of a small budget, and the rest is enough for four calls.
        enough = self.chance.randint(1, 4 if room == ROOMS[0] else 60)
        self.client.wait(lambda calls: len(_whole(calls)) >= enough, f"{enough} calls are whole")
        time.sleep(self.chance.uniform(0, 0.03))
        killed = time.monotonic()
        calls: list[Call] = getattr(self, f"_kill_{victim}")()
        closed = self.upstream.wait_idle()
        if victim == "client" and closed > killed:
            self.figures.closing_seconds.append(closed - killed)
        if victim == "kernel":
            spent = [call.began for call in calls if call.key == KERNEL and call.status != 401]
            self.figures.key_seconds.append(max(0.0, max(spent, default=0) - killed))
        self._limit = max([self._limit, *(call.limit for call in calls)]) + WORKERS + 1
        assert self._limit < 99_999
        self._check(victim, calls, killed)

    def _kill_client(self) -> list[Call]:
        calls = self.client.kill()
        self.client = ClientProgram()
        return calls

    def _kill_upstream(self) -> list[Call]:
        self.upstream.kill()
        self.client.wait(lambda calls: any(call.status == 502 for call in calls), "a call found no provider")
        self.upstream.start()
        self._wait_for_a_whole_call("the provider is back", SCRIPT)
        return self.client.stop()

    def _kill_server(self) -> list[Call]:
        self.server.kill()
        killed = time.monotonic()
        self.client.wait(
            lambda calls: any(call.came == "broken" and call.began > killed for call in calls), "a call found no server"
        )
        self.server.start()
        address = self.server.json("GET", GOVERNANCE + "config")["gateway"]["address"]
        assert self._base_url == f"{address}/llm/openai/v1", "clients find it where it was"
        self._wait_for_a_whole_call("the script's key is valid after the restart", SCRIPT)
        calls = self.client.stop()
        # The server's kernels end with it.
        until(lambda: not Path(f"/proc/{self._kernel_pid}").exists(), "the kernel has ended")
        self._forget_kernel()
        return calls

    def _kill_kernel(self) -> list[Call]:
        os.kill(self._kernel_pid, signal.SIGKILL)
        self.client.wait(lambda calls: any(call.status == 401 for call in calls), "the kernel's key is refused")
        self._wait_for_a_whole_call("the script's key is valid", SCRIPT)
        calls = self.client.stop()
        refused = [call.began for call in calls if call.status == 401]
        assert {call.key for call in calls if call.status == 401} == {KERNEL}
        later = [call for call in calls if call.key == KERNEL and call.began > min(refused) and call.came == "whole"]
        assert not later, "a key that was refused is accepted again"
        assert self._kernel is not None
        self.server.request("DELETE", f"api/kernels/{self._kernel.kernel_id}")
        self._forget_kernel()
        return calls

    # ---- what must hold afterwards

    def _check(self, victim: str, calls: list[Call], killed: float) -> None:
        books, figures = self.books, self.figures

        def ended() -> bool:
            books.read()
            return all(charge.unknown for charge in books.open())

        until(ended, "each call has an end, or an unknown one")
        unknown = books.open()
        assert victim == "server" or not unknown
        server_died = killed if victim == "server" else None
        figures.in_doubt += check(books, calls, server_died=server_died, client_died=victim == "client")
        figures.unknown += len(unknown)
        state = self.server.state(NOTEBOOK)
        assert (Decimal(state["spent"]), Decimal(state["held"])) == (books.spent, books.held)
        assert books.held == sum(charge.held for charge in unknown)
        shown = self.server.json("GET", GOVERNANCE + "holds", params={"path": NOTEBOOK})["holds"]
        assert {(hold["id"], Decimal(hold["amount"])) for hold in shown} == {
            (charge.id, charge.held) for charge in unknown
        }
        verified = self.server.json("GET", GOVERNANCE + "audit/verify")
        assert verified["ok"], verified
        self._resolve(unknown)
        figures.kills[victim] = figures.kills.get(victim, 0) + 1
        figures.whole += len(_whole(calls))
        figures.charges = len(books.charges)
        for call in calls:
            end = call.came if call.status is None else f"{call.came} {call.status} {call.code or ''}".strip()
            figures.ends[end] = figures.ends.get(end, 0) + 1

    def _resolve(self, unknown: list[Any]) -> None:
        """Resolve holds of unknown outcome, as a user who has found out what their calls cost."""
        for charge in unknown:
            if self.chance.random() < 0.5:
                self.server.json("POST", GOVERNANCE + f"holds/{charge.id}/release")
            else:
                amount = str(min(charge.held, Decimal("0.002")))
                self.server.json("POST", GOVERNANCE + f"holds/{charge.id}/settle", json={"amount": amount})
        self.books.read()
        assert self.books.held == 0

    # ---- parts

    def _have_kernel(self) -> None:
        if self._kernel is None:
            self._kernel = self.server.open_notebook(NOTEBOOK)
            code = "import json, os; print('<<' + json.dumps([os.getpid(), os.environ['OPENAI_API_KEY']]) + '>>')"
            self._kernel_pid, self._kernel_key = self._kernel.run(code).result

    def _forget_kernel(self) -> None:
        assert self._kernel is not None
        self._kernel.close()
        self._kernel = None

    def _wait_for_a_whole_call(self, why: str, key: int) -> None:
        since = time.monotonic()
        # The budget is raised, so that further calls can be made.
        self._allow(ROOMS[-1])
        self.client.wait(lambda calls: any(call.key == key and call.began > since for call in _whole(calls)), why)

    def _allow(self, room: str) -> None:
        state = self.server.state(NOTEBOOK)
        self._patch({"budget": str(Decimal(state["spent"]) + Decimal(state["held"]) + Decimal(room))})

    def _patch(self, body: dict[str, Any]) -> None:
        self.server.json("PATCH", GOVERNANCE + "state", params={"path": NOTEBOOK}, json=body)


def _whole(calls: list[Call]) -> list[Call]:
    return [call for call in calls if call.came == "whole"]
