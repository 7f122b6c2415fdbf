"""Governed clients of Anthropic's library: what each way of calling holds, and what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import anthropic
import pytest
from anthropic import (
    Anthropic,
    AnthropicBedrock,
    AnthropicVertex,
    AsyncAnthropic,
    beta_tool,
)
from pydantic import BaseModel

from aumos_governance import (
    ConfigurationError,
    GovernanceDeniedError,
    GovernanceEngine,
    TrustLevel,
    govern,
)
from aumos_governance.integrations.guarding.leftovers import leftovers
from tests.integrations.clerk import CALL
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.wire import feature, needs_parameter

MODEL = "claude-sonnet-5-5"
REQUEST: Any = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "What is the answer?"}]}
TEXT = Reply().text
TOKENS = Tokens(input=1000, output=300, cached=10_000, cache_written=500, cache_written_1h=200)
# By genai-prices: $2 in, $10 out, $0.10 from the cache, $2.50 into it, $4 for an hour; per million.
COST = (1000 * 2 + 300 * 10 + 10_000 * Decimal("0.1") + 500 * Decimal("2.5") + 200 * 4) / Decimal(1_000_000)


class Desk:
    """An engine with a budget, and governed clients of the endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.engine = GovernanceEngine()
        self.engine.budget.create_budget("llm", 10)
        endpoint.default = Reply(usage=TOKENS)

    def client(self, **options: Any) -> Anthropic:
        return self.govern(Anthropic(base_url=self.endpoint.anthropic_url, api_key="key", **options))

    def async_client(self, **options: Any) -> AsyncAnthropic:
        return self.govern(AsyncAnthropic(base_url=self.endpoint.anthropic_url, api_key="key", **options))

    def govern(self, client: Any, **options: Any) -> Any:
        return govern(client, engine=self.engine, budget_category="llm", **options)

    @property
    def spent(self) -> Decimal:
        return self.balance[0]

    @property
    def balance(self) -> tuple[Decimal, Decimal]:
        """Spent and held."""
        # Another thread settles the charges that were dropped.
        assert leftovers.wait()
        balance = self.engine.budget.balance("llm")
        return balance.spent, balance.held

    @property
    def estimates(self) -> int:
        """The number of charges that were settled as an estimate."""
        return sum(1 for entry in self.engine.audit.entries() if entry.detail.get("estimated"))


@pytest.fixture
def desk(endpoint: Endpoint) -> Iterator[Desk]:
    desk = Desk(endpoint)
    yield desk
    desk.engine.close()


@pytest.fixture
def client(desk: Desk) -> Iterator[Anthropic]:
    with desk.client() as client:
        yield client


def create(client: Any) -> str:
    response: str = client.messages.create(**REQUEST).content[0].text
    return response


def create_beta(client: Any) -> str:
    response: str = client.beta.messages.create(**REQUEST).content[0].text
    return response


def create_raw(client: Any) -> str:
    response: str = client.messages.with_raw_response.create(**REQUEST).parse().content[0].text
    return response


def create_with_options(client: Any) -> str:
    return create(client.with_options(timeout=10))


def stream_events(client: Any) -> str:
    events = client.messages.create(**REQUEST, stream=True)
    return "".join(event.delta.text for event in events if event.type == "content_block_delta")


def stream_helper(client: Any) -> str:
    with client.messages.stream(**REQUEST) as stream:
        return "".join(stream.text_stream)


def stream_final(client: Any) -> str:
    with client.messages.stream(**REQUEST) as stream:
        text: str = stream.get_final_text()
        return text


def stream_raw(client: Any) -> str:
    with client.messages.with_streaming_response.create(**REQUEST) as response:
        text: str = response.parse().content[0].text
        return text


@pytest.mark.parametrize(
    "call",
    [
        create,
        create_beta,
        create_raw,
        create_with_options,
        stream_events,
        stream_helper,
        stream_final,
        stream_raw,
    ],
)
def test_each_way_of_calling_costs_what_its_tokens_cost(
    desk: Desk, client: Anthropic, call: Callable[[Any], str]
) -> None:
    assert call(client) == TEXT
    assert desk.balance == (COST, 0)
    assert desk.estimates == 0


def test_the_same_awaited(desk: Desk) -> None:
    async def main() -> list[str]:
        async with desk.async_client() as client:
            created: Any = await client.messages.create(**REQUEST)
            events: Any = await client.messages.create(**REQUEST, stream=True)
            deltas = [event.delta.text async for event in events if event.type == "content_block_delta"]
            async with client.messages.stream(**REQUEST) as stream:
                final = await stream.get_final_text()
            return [created.content[0].text, "".join(deltas), final]

    assert asyncio.run(main()) == [TEXT] * 3
    assert desk.balance == (3 * COST, 0)
    assert desk.estimates == 0


def test_a_parsed_response_is_one_call(desk: Desk, client: Anthropic) -> None:
    class Answer(BaseModel):
        number: int

    desk.endpoint.script(Reply(text='{"number": 42}', usage=TOKENS))
    parsed = feature(client, "messages.parse")(**REQUEST, output_format=Answer)
    assert parsed.parsed_output == Answer(number=42)
    assert desk.balance == (COST, 0)


@pytest.mark.parametrize("thread", [False, None])
def test_each_turn_of_the_tool_runner_is_a_call(desk: Desk, client: Anthropic, thread: Any) -> None:
    needs_parameter(client.beta.messages.tool_runner, "thread")
    sent: list[str] = []

    @beta_tool
    def send(to: str, text: str) -> str:
        """Send a mail.

        Args:
            to: the address
            text: the text
        """
        sent.append(to)
        return text

    desk.endpoint.script(replace(CALL, usage=TOKENS))
    turns = list(client.beta.messages.tool_runner(**REQUEST, tools=[send], thread=thread))
    assert (len(turns), sent) == (2, ["ann"])
    assert desk.balance == (2 * COST, 0)


@pytest.mark.parametrize(
    ("make", "multiplier"),
    [
        (lambda url: feature(anthropic, "AnthropicFoundry")(base_url=f"{url}/anthropic", api_key="key"), "1"),
        # A name without a profile is served in the region.
        (
            lambda url: feature(anthropic, "AnthropicBedrockMantle")(
                base_url=url, api_key="key", aws_region="eu-west-1"
            ),
            "1.1",
        ),
        (
            lambda url: feature(anthropic, "AnthropicAWS")(
                base_url=url, api_key="key", aws_region="eu-west-1", workspace_id="workspace"
            ),
            "1",
        ),
    ],
)
def test_the_other_houses_of_the_same_models(desk: Desk, make: Callable[[str], Any], multiplier: str) -> None:
    with make(desk.endpoint.url) as plain, desk.govern(plain) as governed:
        assert [call(governed) for call in (create, stream_helper)] == [TEXT] * 2
    assert desk.balance == (2 * COST * Decimal(multiplier), 0)


def test_counting_and_listing_cost_nothing(desk: Desk, client: Anthropic) -> None:
    assert client.messages.count_tokens(model=MODEL, messages=REQUEST["messages"]).input_tokens == TOKENS.input
    assert next(model.id for model in client.models.list()) == MODEL
    assert desk.balance == (0, 0)


def test_a_call_that_is_denied_is_not_sent(desk: Desk, client: Anthropic) -> None:
    desk.engine.budget.create_budget("small", "0.001")
    small = govern(client, engine=desk.engine, budget_category="small")
    for stream in (False, True):
        with pytest.raises(GovernanceDeniedError, match="small"):
            small.messages.create(**REQUEST, stream=stream)
    with pytest.raises(GovernanceDeniedError), small.messages.stream(**REQUEST):
        pass
    desk.engine.trust.set_level("agent", TrustLevel.L0_OBSERVER)
    with pytest.raises(GovernanceDeniedError, match="L0"):
        client.messages.create(**REQUEST)
    assert desk.endpoint.count == 0


def test_the_worst_case_is_held_while_it_runs(desk: Desk, client: Anthropic) -> None:
    desk.endpoint.script(Reply(usage=TOKENS, pause_after=2))
    stream: Any = client.messages.create(**REQUEST, stream=True)
    spent, held = desk.balance
    assert spent == 0
    assert held > 100 * Decimal(10) / 1_000_000
    desk.endpoint.release()
    assert list(stream)[-1].type == "message_stop"
    assert desk.balance == (COST, 0)


@pytest.mark.parametrize("faults", [(Reply(status=429), Reply(status=529)), (Reply(status=500),)])
def test_attempts_that_are_refused_cost_nothing(desk: Desk, client: Anthropic, faults: tuple[Reply, ...]) -> None:
    desk.endpoint.script(*faults)
    assert create(client) == TEXT
    assert desk.endpoint.count == len(faults) + 1
    assert desk.balance == (COST, 0)
    desk.endpoint.script(Reply(status=400))
    with pytest.raises(anthropic.BadRequestError):
        create(client)
    assert desk.balance == (COST, 0)


@pytest.mark.parametrize("fault", [Reply(error_after=4), Reply(break_after=4)], ids=["error", "broken"])
@pytest.mark.parametrize("read", [stream_events, stream_helper])
def test_a_stream_that_breaks_is_charged_as_an_estimate(
    desk: Desk, client: Anthropic, fault: Reply, read: Callable[[Any], str]
) -> None:
    desk.endpoint.script(fault)
    with pytest.raises(Exception, match=r"Overloaded|Connection error|peer closed"):
        read(client)
    spent, held = desk.balance
    assert (spent > 0, held, desk.estimates) == (True, 0, 1)


def test_a_stream_that_breaks_costs_its_input_and_what_arrived_of_its_output(desk: Desk, client: Anthropic) -> None:
    desk.endpoint.script(Reply(usage=TOKENS, break_after=5))
    events = client.messages.create(**REQUEST, thinking={"type": "disabled"}, stream=True)
    arrived: list[str] = []
    with pytest.raises(Exception, match=r"Connection error|peer closed"):
        arrived.extend(event.delta.text for event in events if event.type == "content_block_delta")
    seen = len("".join(arrived).encode())
    assert seen
    assert (desk.spent, desk.estimates) == (COST - (TOKENS.output - seen) * Decimal(10) / 1_000_000, 1)


def test_a_stream_that_is_left_early_is_charged_as_an_estimate(desk: Desk, client: Anthropic) -> None:
    with client.messages.stream(**REQUEST) as stream:
        next(iter(stream.text_stream))
    assert desk.balance[1] == 0
    assert (desk.spent > 0, desk.estimates) == (True, 1)


@pytest.mark.parametrize("usage", [None, {"input_tokens": "many", "output_tokens": 1}, {"output_tokens": -5}])
@pytest.mark.parametrize("call", [create_raw, stream_events])
def test_usage_that_cannot_be_is_charged_as_an_estimate(
    desk: Desk, client: Anthropic, usage: Any, call: Callable[[Any], str]
) -> None:
    desk.endpoint.script(Reply(usage=usage))
    call(client)
    spent, held = desk.balance
    assert (spent > 0, held, desk.estimates) == (True, 0, 1)


def test_a_model_without_a_price_is_not_sent_until_one_is_stated(desk: Desk) -> None:
    plain = Anthropic(base_url=desk.endpoint.anthropic_url, api_key="key")
    request = {**REQUEST, "model": "our-model"}
    with plain:
        with pytest.raises(ConfigurationError, match="'our-model'"):
            desk.govern(plain).messages.create(**request)
        assert desk.endpoint.count == 0
        priced = desk.govern(plain, price={"input_mtok": 1, "output_mtok": 2, "cache_read_mtok": 1})
        desk.endpoint.script(Reply(usage=Tokens(input=1000, output=100)))
        priced.messages.create(**request)
        assert desk.spent == Decimal("0.0012")


class TestVertex:
    def test_is_priced_by_the_model_that_the_request_names(self, desk: Desk) -> None:
        client = AnthropicVertex(
            base_url=f"{desk.endpoint.url}/v1", access_token="token", project_id="project", region="europe-west1"
        )
        with client, desk.govern(client) as governed:
            assert create(governed) == TEXT
            assert stream_helper(governed) == TEXT
            assert (
                governed.messages.count_tokens(model=MODEL, messages=REQUEST["messages"]).input_tokens == TOKENS.input
            )
        assert desk.endpoint.exchange(0).received.path.endswith(f"/models/{MODEL}:rawPredict")
        # By the client's own region, whatever address leads there: a tenth more than at the global endpoint.
        assert desk.balance == (2 * COST * Decimal("1.1"), 0)
        assert desk.estimates == 0


class TestBedrock:
    @pytest.fixture
    def governed(self, desk: Desk) -> Iterator[AnthropicBedrock]:
        needs_parameter(AnthropicBedrock, "api_key")
        plain = AnthropicBedrock(base_url=desk.endpoint.url, api_key="key", aws_region="eu-west-1")
        with plain, desk.govern(plain) as governed:
            yield governed

    @property
    def request(self) -> Any:
        return {**REQUEST, "model": "global.anthropic.claude-sonnet-5-5"}

    def test_a_message(self, desk: Desk, governed: AnthropicBedrock) -> None:
        desk.endpoint.default = Reply(usage=Tokens(input=1000, output=300))
        assert governed.messages.create(**self.request).content[0].text == TEXT
        assert desk.endpoint.exchange(0).received.path == "/model/global.anthropic.claude-sonnet-5-5/invoke"
        assert desk.balance == (Decimal("0.005"), 0)

    def test_a_stream_in_amazons_frames(self, desk: Desk, governed: AnthropicBedrock) -> None:
        desk.endpoint.default = Reply(usage=Tokens(input=1000, output=300))
        # Its events cannot be had without Amazon's library; its bytes can.
        with governed.messages.with_streaming_response.create(**self.request, stream=True) as response:
            sent = b"".join(response.iter_bytes())
        assert sent.count(b":event-type") == desk.endpoint.exchange(0).sent
        assert (desk.balance, desk.estimates) == ((Decimal("0.005"), 0), 0)
