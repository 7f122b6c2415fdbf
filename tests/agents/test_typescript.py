"""OpenAI's and Anthropic's unmodified TypeScript libraries, in a process that a notebook's kernel starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.agents.conftest import FOLDER
from tests.bridge.live_server import LiveKernel, LiveServer
from tests.bridge.sdks.served import PROVIDER_KEY, SELLERS, Bill, served, settled
from tests.integrations.endpoint.replies import Reply, ToolCall
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

GPT, CLAUDE, EMBEDDINGS = "gpt-4o-mini", "claude-haiku-4-5", "text-embedding-3-small"
NOTEBOOK = "typescript.ipynb"
TEXT = Reply().text
CALLED = Reply(tool_calls=(ToolCall("multiply", {"left": 6, "right": 7}),))


@dataclass(frozen=True)
class Program:
    model: str
    got: Any = TEXT
    replies: tuple[Reply, ...] = (Reply(),)
    paid: bool = True


PROGRAMS = {
    "chat": Program(GPT),
    "chatStream": Program(GPT),
    "chatStreamWithUsage": Program(GPT, 18),
    "chatEvents": Program(GPT),
    "structured": Program(GPT, 42, (Reply('{"value": 42}'),)),
    "tools": Program(GPT, TEXT, (CALLED, Reply())),
    "response": Program(GPT),
    "responseStream": Program(GPT),
    "embeddings": Program(EMBEDDINGS, [0.25, -0.5, 0.125]),
    "models": Program(GPT, True, paid=False),
    "message": Program(CLAUDE),
    "messageStream": Program(CLAUDE),
    "messageEvents": Program(CLAUDE),
    "messageTools": Program(CLAUDE, ["multiply"], (CALLED,)),
    "counted": Program(CLAUDE, 11, paid=False),
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, endpoint: Endpoint) -> Iterator[LiveServer]:
    with served(tmp_path_factory.mktemp("agents"), endpoint) as live:
        yield live


@pytest.fixture(scope="module")
def kernel(server: LiveServer) -> Iterator[LiveKernel]:
    with server.notebook(NOTEBOOK) as kernel:
        kernel.do("open", trust_level=2, budget="5")
        yield kernel
        assert [record for record in settled(server, NOTEBOOK) if record["detail"].get("estimated")] == []


def came_to(kernel: LiveKernel, name: str) -> Any:
    command = ["node", str(Path(os.environ[FOLDER]) / "programs.mjs"), name]
    code = (
        "import json, subprocess\n"
        f"done = subprocess.run({command!r}, capture_output=True, text=True)\n"
        "result(json.loads(done.stdout) if done.returncode == 0 else done.stderr)"
    )
    return kernel.run(code).result


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_costs_what_it_used(name: str, server: LiveServer, kernel: LiveKernel, endpoint: Endpoint) -> None:
    program, bill = PROGRAMS[name], Bill(server, endpoint, NOTEBOOK)
    endpoint.script(*program.replies)
    assert came_to(kernel, name) == program.got
    used = {"input_tokens": 11, **({} if program.model == EMBEDDINGS else {"output_tokens": 7})}
    calls = len(program.replies) if program.paid else 0
    assert bill.cost == calls * priced(program.model, used, provider=SELLERS[program.model])
    assert bill.requests == len(program.replies)
    headers = endpoint.exchanges[-1].received.headers
    assert PROVIDER_KEY in (headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer "))


@pytest.mark.parametrize("name", ["openaiError", "anthropicError"])
def test_a_denial_is_an_error_of_the_librarys_own_and_is_not_tried_again(
    name: str, server: LiveServer, endpoint: Endpoint
) -> None:
    with server.notebook(f"{name}.ipynb") as kernel:
        before = endpoint.count
        its_own, status, sentence = came_to(kernel, name)
    assert (its_own, status) == (True, 402)
    assert "start it in the Governance panel" in sentence
    assert endpoint.count == before
