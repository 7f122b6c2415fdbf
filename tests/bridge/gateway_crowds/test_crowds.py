"""Many calls of OpenAI's async client with one small budget, through the gateway of a real server, never exceed it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openai
import pytest

from tests.bridge.gateway_crowds.books import Books, cost
from tests.bridge.gateway_crowds.client import used_by
from tests.bridge.gateway_crowds.programs import UpstreamProgram
from tests.bridge.gateway_crowds.scene import key_for, server_at
from tests.bridge.gateway_crowds.upstream import Prompt
from tests.bridge.live_server import GOVERNANCE, LiveServer, until

WORST = 75_000
"""The output tokens that cost $3."""
LEAST = Decimal("0.011")
"""The amount in USD that must be left for a call of a useful length."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[UpstreamProgram]:
    program = UpstreamProgram()
    yield program
    program.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, upstream: UpstreamProgram) -> Iterator[LiveServer]:
    live = server_at(tmp_path_factory.mktemp("crowds"), upstream)
    try:
        yield live.start()
    finally:
        live.close()


class Crowd:
    """The calls of one notebook; each has an output limit of its own, of at least `WORST`."""

    def __init__(self, server: LiveServer, path: str, budget: str) -> None:
        self._server = server
        self._path = path
        server.write_notebook(path)
        server.json("PATCH", GOVERNANCE + "state", params={"path": path}, json={"trust_level": 2, "budget": budget})
        self._environment = key_for(server, path)
        self._made = 0
        self.used: list[int] = []
        """The output tokens of each complete response."""
        self.denied = 0
        self.books = Books(server, path)

    def run(self, waves: int, calls: int, prompt: Prompt, *, streamed: bool = False) -> None:
        """Make this number of calls at once, and again when all of them have ended, for this number of waves."""

        async def run() -> None:
            environment = self._environment
            async with openai.AsyncOpenAI(
                base_url=environment["OPENAI_BASE_URL"], api_key=environment["OPENAI_API_KEY"], max_retries=0
            ) as client:
                for _ in range(waves):
                    await asyncio.gather(*(self._call(client, prompt, streamed) for _ in range(calls)))

        asyncio.run(run())
        until(lambda: self._server.state(self._path)["held"] == "0", "each call has ended")
        # It asserts after each record that the budget was kept, and that denied calls would not have fitted.
        self.books.read()
        assert self.books.spent == sum(map(cost, self.used))
        assert len(self.books.denied) == self.denied
        assert self._server.json("GET", GOVERNANCE + "audit/verify")["ok"]

    async def _call(self, client: Any, prompt: Prompt, streamed: bool) -> None:
        limit = WORST + self._made
        self._made += 1
        try:
            used = await used_by(client, limit, prompt, streamed=streamed)
        except openai.APIStatusError as error:
            if error.status_code != 402:
                raise
            self.denied += 1
        else:
            assert used is not None, "a part was taken for the whole"
            self.used.append(used)


def test_thirty_calls_at_once_of_3_dollars_at_worst_run_together(server: LiveServer, upstream: UpstreamProgram) -> None:
    crowd = Crowd(server, "thirty.ipynb", "1")
    # The provider sends no response before it has eight calls.
    crowd.run(1, 30, Prompt(tokens=150, together=8))
    assert crowd.used == [150] * 30
    assert upstream.figures()["most"] >= 8


@pytest.mark.soak
def test_waves_of_calls_that_cost_little_all_pass(server: LiveServer, soak: bool) -> None:
    waves, budget = (8, "1") if soak else (2, "0.28")
    crowd = Crowd(server, "waves.ipynb", budget)
    crowd.run(waves, 30, Prompt(tokens=100))
    assert crowd.used == [100] * 30 * waves
    assert crowd.books.budget - crowd.books.spent < Decimal("0.04"), "the budget was tight"


@pytest.mark.soak
def test_streams_never_come_above_one_dollar(server: LiveServer, soak: bool) -> None:
    crowd = Crowd(server, "streams.ipynb", "1")
    crowd.run(1, 256 if soak else 64, Prompt(tokens=4_000, events=5), streamed=True)
    assert crowd.used
    # A call was only denied if it would have exceeded the budget.
    assert crowd.books.budget - crowd.books.spent < LEAST or not crowd.denied
    if soak:
        assert crowd.denied
