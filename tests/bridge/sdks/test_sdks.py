"""Unmodified libraries in a kernel of a real server with a key for each provider: each call is charged its exact cost.

The kernel has only the environment variables that the server sets; no code of this package runs in it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import anthropic
import openai
import pytest

from tests.bridge.live_server import LiveKernel, LiveServer
from tests.bridge.sdks.programs import PROGRAMS, Program
from tests.bridge.sdks.served import SELLERS, Bill, served, settled
from tests.integrations.endpoint.replies import Reply, Tokens, ToolCall
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.examples import ANTHROPIC, AWAITED, OPENAI, REFUSED, outcome
from tests.integrations.google import library
from tests.integrations.google.charges import price_of
from tests.integrations.till import needs_prices_of_0_2, priced
from tests.integrations.wire import feature

REPOSITORY = Path(__file__).parents[3]
NOTEBOOK = "sdks.ipynb"
USED = {"input_tokens": 11, "output_tokens": 7}
FREE = {"pages", "pages_awaited", "moderations", "counting"}
OTHER_COSTS = {
    "embeddings": ("text-embedding-3-small", {"input_tokens": 11}),
    "images": ("gpt-image-1", {"input_tokens": 11, "output_tokens": 7}),
    "speech": ("tts-1", {"input_characters": 1}),
}
SET_UP = f"""
import asyncio, inspect, json, sys, warnings
sys.path.append({str(REPOSITORY)!r})
warnings.simplefilter("ignore")
import anthropic, openai
from google import genai
from tests.bridge.sdks import programs
from tests.integrations import examples
from tests.integrations.google import library

def result(value):
    print('<<' + json.dumps(value, default=str) + '>>')

def program(name):
    return programs.PROGRAMS[name].run()
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, endpoint: Endpoint) -> Iterator[LiveServer]:
    budget = "c.GovernanceExtension.autostart = {'trust_level': 2, 'budget': '100'}"
    with served(tmp_path_factory.mktemp("sdks"), endpoint, budget) as live:
        yield live


@pytest.fixture(scope="module")
def kernel(server: LiveServer) -> Iterator[LiveKernel]:
    """Yield a kernel with a budget of $100, which must not import this package, and must get no estimated charge."""
    opened = server.open_notebook(NOTEBOOK)
    try:
        opened.run(SET_UP, timeout=120)
        yield opened
        assert opened.run("result([name for name in sys.modules if name.startswith('aumos')])").result == []
        for record in settled(server, NOTEBOOK):
            assert not record["detail"].get("estimated"), record
    finally:
        opened.close()


@pytest.fixture
def bill(server: LiveServer, kernel: LiveKernel, endpoint: Endpoint) -> Bill:
    # A failed test may have left some of its replies.
    endpoint.forget_script()
    return Bill(server, endpoint, NOTEBOOK)


def without_ids(text: str) -> str:
    return re.sub(r"(chatcmpl-|resp_|msg_|toolu_)\w+", r"\1", text)


def of_example(name: str) -> Decimal:
    if name in FREE:
        return Decimal(0)
    model, used = OTHER_COSTS.get(name, ("gpt-4o", USED))
    return priced(model, used)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs_prices_of_0_2 if name == "speech" else ()) for name in OPENAI]
)
def test_an_example_of_openai_s_readme_costs_what_it_used(
    name: str, kernel: LiveKernel, endpoint: Endpoint, bill: Bill
) -> None:
    came_to = kernel.run(f"result(examples.outcome(examples.OPENAI[{name!r}], openai.OpenAI()))").result
    assert bill.cost == of_example(name)
    with openai.OpenAI(base_url=endpoint.openai_url, api_key="key") as plain:
        assert came_to == outcome(OPENAI[name], plain)


@pytest.mark.parametrize("name", AWAITED)
def test_an_awaited_example_costs_what_it_used(name: str, kernel: LiveKernel, endpoint: Endpoint, bill: Bill) -> None:
    async def plainly() -> str:
        async with openai.AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as plain:
            return repr(await AWAITED[name](plain))

    came_to = kernel.run(f"result(repr(await examples.AWAITED[{name!r}](openai.AsyncOpenAI())))").result
    assert bill.cost == of_example(name)
    assert without_ids(came_to) == without_ids(asyncio.run(plainly()))


@pytest.mark.parametrize("name", ANTHROPIC)
def test_an_example_of_anthropic_s_costs_what_it_used(
    name: str, kernel: LiveKernel, endpoint: Endpoint, bill: Bill
) -> None:
    called = Reply(tool_calls=(ToolCall("add", {"left": 1, "right": 2}),))
    calls = 0 if name in FREE else 2 if name == "tool runner" else 1
    if calls == 2:
        endpoint.script(called)
    came_to = kernel.run(f"result(examples.outcome(examples.ANTHROPIC[{name!r}], anthropic.Anthropic()))").result
    assert bill.cost == calls * priced("claude-sonnet-5-5", USED, provider="anthropic")
    if calls == 2:
        endpoint.script(called)
    with anthropic.Anthropic(base_url=endpoint.anthropic_url, api_key="key") as plain:
        expected = outcome(ANTHROPIC[name], plain)
    assert without_ids(came_to) == without_ids(expected)


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "realtime"])
def test_what_cannot_be_measured_is_not_sent_and_costs_nothing(name: str, kernel: LiveKernel, bill: Bill) -> None:
    code = f"result(examples.outcome(examples.REFUSED[{name!r}][0], openai.OpenAI()))"
    came_to = kernel.run(code).result
    assert came_to.startswith("BadRequestError: Error code: 400")
    assert "was not sent" in came_to
    assert (bill.cost, bill.requests) == (0, 0)


@needs_prices_of_0_2
@pytest.mark.parametrize("name", library.PROGRAMS)
def test_a_program_of_google_genai_costs_what_it_used(
    name: str, kernel: LiveKernel, endpoint: Endpoint, bill: Bill
) -> None:
    program = library.PROGRAMS[name]
    endpoint.script(*program.replies)
    # Some programs run an event loop of their own, and a cell runs in that of the kernel.
    code = f"result(await asyncio.to_thread(library.PROGRAMS[{name!r}].run, genai.Client()))"
    came_to = kernel.run(code).result
    assert came_to == (program.got if not isinstance(program.got, library.Answer) else str(program.got))
    assert bill.cost == price_of(program)


def cost_of(program: Program) -> Decimal:
    total = Decimal(0)
    for reply in program.replies:
        assert isinstance(reply.usage, Tokens)
        used = {"input_tokens": reply.usage.input, "output_tokens": reply.usage.output}
        total += priced(program.model, used, provider=SELLERS[program.model])
    return total


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_costs_what_it_used(name: str, kernel: LiveKernel, endpoint: Endpoint, bill: Bill) -> None:
    program = PROGRAMS[name]
    if program.needs:
        module, _, path = program.needs.partition(":")
        feature(import_module(module), path)
    endpoint.script(*program.replies)
    code = f"made = program({name!r})\nresult(await made if inspect.isawaitable(made) else made)"
    assert kernel.run(code, timeout=120).result == program.got
    assert bill.cost == cost_of(program)
    assert bill.requests == len(program.replies)
