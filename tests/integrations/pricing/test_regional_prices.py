"""The costs of calls at the regional addresses and profiles of the libraries' clients, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import anthropic
import openai
import pytest

from aumos_governance import GovernanceEngine, govern
from tests.integrations.wire import feature, http, needs_parameter

MILLION = Decimal(1_000_000)
HELLO: Any = [{"role": "user", "content": "hello"}]
USAGE = {"input_tokens": 1000, "output_tokens": 1000}
LIST_COST = (1000 * 5 + 1000 * 25) / MILLION
"""The cost in USD with claude-opus-5, by genai-prices $5 per million tokens of input and $25 of output."""
REGIONAL = LIST_COST * Decimal("1.1")


def message(model: str = "claude-opus-5", **usage: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "content": [{"type": "text", "text": "Hello"}],
        "usage": {**USAGE, **usage},
    }


def events(model: str = "claude-opus-5", **usage: Any) -> bytes:
    whole = message(model, **usage)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
    reported: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1000}},
        {"type": "message_stop"},
    ]
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in reported)


def transport(response: Callable[[Any], Any]) -> Any:
    """An HTTP client that responds within this process."""

    def handler(request: Any) -> Any:
        found = response(request)
        if isinstance(found, bytes):
            return http.Response(200, headers={"content-type": "text/event-stream"}, content=found)
        return http.Response(200, json=found)

    return http.Client(transport=http.MockTransport(handler))


class Books:
    """An engine with a budget, which governs a client and shows the costs of its calls."""

    def __init__(self) -> None:
        self.engine = GovernanceEngine()
        self.engine.budget.create_budget("llm", 100)

    def govern(self, client: Any, **options: Any) -> Any:
        return govern(client, engine=self.engine, budget_category="llm", **options)

    @property
    def spent(self) -> Decimal:
        balance = self.engine.budget.balance("llm")
        assert balance.held == 0
        return balance.spent

    @property
    def estimates(self) -> int:
        return sum(1 for entry in self.engine.audit.entries() if entry.detail.get("estimated"))


@pytest.fixture
def books() -> Iterator[Books]:
    books = Books()
    yield books
    books.engine.close()


def vertex(region: str, **options: Any) -> Any:
    return anthropic.AnthropicVertex(region=region, project_id="p", access_token="t", **options)


def bedrock(region: str = "eu-west-1", **options: Any) -> Any:
    needs_parameter(anthropic.AnthropicBedrock, "api_key")
    return anthropic.AnthropicBedrock(aws_region=region, api_key="k", **options)


def mantle(**options: Any) -> Any:
    return feature(anthropic, "AnthropicBedrockMantle")(aws_region="eu-west-1", api_key="k", **options)


def foundry(**options: Any) -> Any:
    return feature(anthropic, "AnthropicFoundry")(resource="mine", api_key="k", **options)


def first_party(**options: Any) -> Any:
    return anthropic.Anthropic(api_key="k", **options)


def on_aws(**options: Any) -> Any:
    return feature(anthropic, "AnthropicAWS")(aws_region="us-west-2", api_key="k", workspace_id="w", **options)


def on_google_cloud(**options: Any) -> Any:
    return feature(anthropic, "AnthropicGoogleCloud")(
        project="p", workspace_id="w", token_provider=lambda: "t", **options
    )


def create(client: Any, model: str) -> None:
    client.messages.create(model=model, max_tokens=1000, messages=HELLO)


def create_beta(client: Any, model: str) -> None:
    client.beta.messages.create(model=model, max_tokens=1000, messages=HELLO)


def stream(client: Any, model: str) -> None:
    with client.messages.stream(model=model, max_tokens=1000, messages=HELLO) as reported:
        reported.get_final_message()


def stream_beta(client: Any, model: str) -> None:
    with client.beta.messages.stream(model=model, max_tokens=1000, messages=HELLO) as reported:
        reported.get_final_message()


@pytest.mark.parametrize("call", [create, create_beta, stream, stream_beta])
@pytest.mark.parametrize(
    ("region", "model", "cost"),
    [
        ("us-east5", "claude-opus-5", REGIONAL),
        ("us", "claude-opus-5", REGIONAL),
        ("eu", "claude-opus-5@20260724", REGIONAL),
        ("global", "claude-opus-5", LIST_COST),
        ("global", "claude-opus-5@20260724", LIST_COST),
        ("us-east5", "claude-opus-4-1@20250805", LIST_COST * 3),
    ],
)
def test_vertex(books: Books, call: Callable[[Any, str], None], region: str, model: str, cost: Decimal) -> None:
    responded = model.replace("@", "-")
    here = transport(lambda request: events(responded) if "streamRaw" in request.url.path else message(responded))
    with vertex(region, http_client=here) as plain:
        call(books.govern(plain), model)
    assert (books.spent, books.estimates) == (cost, 0)


@pytest.mark.parametrize(
    ("model", "responded", "cost"),
    [
        ("global.anthropic.claude-opus-5", "claude-opus-5", LIST_COST),
        ("eu.anthropic.claude-opus-5", "claude-opus-5", REGIONAL),
        ("us.anthropic.claude-opus-5", "claude-opus-5-20260724", REGIONAL),
        ("anthropic.claude-opus-5", "claude-opus-5", REGIONAL),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-opus-5", "claude-opus-5", REGIONAL),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/global.anthropic.claude-opus-5", "claude-opus-5", LIST_COST),
        ("global.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5-20251101", LIST_COST),
        ("apac.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5-20251101", REGIONAL),
    ],
)
@pytest.mark.parametrize("client", [bedrock, mantle])
def test_bedrock(books: Books, client: Any, model: str, responded: str, cost: Decimal) -> None:
    with client(http_client=transport(lambda _: message(responded))) as plain:
        create(books.govern(plain), model)
    assert (books.spent, books.estimates) == (cost, 0)


def test_an_opaque_profile_of_bedrock_names_the_keyword_that_prices_it(books: Books) -> None:
    arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc123"
    with bedrock(http_client=transport(lambda _: message())) as plain:
        with pytest.raises(Exception, match="price="):
            create(books.govern(plain), arn)
        create(books.govern(plain, price={arn: {"input_mtok": 5, "output_mtok": 25}}), arn)
    assert books.spent == LIST_COST


@pytest.mark.parametrize(("geo", "cost"), [("us", REGIONAL), ("global", LIST_COST), (None, LIST_COST)])
@pytest.mark.parametrize("client", [first_party, foundry, on_aws, on_google_cloud])
def test_anthropic_s_own_price_list_with_its_geography(
    books: Books, client: Any, geo: str | None, cost: Decimal
) -> None:
    """Claude in Microsoft Foundry, and other places that Anthropic runs, cost what Anthropic's own server does."""
    with client(http_client=transport(lambda _: message(inference_geo=geo))) as plain:
        create(books.govern(plain), "claude-opus-5")
    assert (books.spent, books.estimates) == (cost, 0)


def test_a_client_is_followed_to_another_address(books: Books) -> None:
    here = transport(lambda _: message())
    with vertex("global", http_client=here) as plain:
        governed = books.govern(plain)
        create(
            governed.copy(region="us-east5", base_url="https://us-east5-aiplatform.googleapis.com/v1"), "claude-opus-5"
        )
    assert books.spent == REGIONAL


def test_awaited(books: Books) -> None:
    async def main() -> None:
        handler = http.MockTransport(lambda _: http.Response(200, json=message()))
        async with anthropic.AsyncAnthropicVertex(
            region="eu", project_id="p", access_token="t", http_client=http.AsyncClient(transport=handler)
        ) as plain:
            await books.govern(plain).messages.create(model="claude-opus-5", max_tokens=1000, messages=HELLO)

    asyncio.run(main())
    assert books.spent == REGIONAL


@pytest.mark.parametrize(
    ("host", "model", "cost"),
    [
        ("eu.api.openai.com", "gpt-5.4", (1000 * Decimal("2.75") + 1000 * Decimal("16.5")) / MILLION),
        ("us.api.openai.com", "gpt-5.4", (1000 * Decimal("2.75") + 1000 * Decimal("16.5")) / MILLION),
        ("api.openai.com", "gpt-5.4", (1000 * Decimal("2.5") + 1000 * 15) / MILLION),
        ("eu.api.openai.com", "gpt-4o", (1000 * Decimal("2.5") + 1000 * 10) / MILLION),
    ],
)
def test_openai(books: Books, host: str, model: str, cost: Decimal) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    response = {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "usage": usage,
        "choices": [choice],
    }
    with openai.OpenAI(api_key="k", base_url=f"https://{host}/v1", http_client=transport(lambda _: response)) as plain:
        books.govern(plain).chat.completions.create(model=model, messages=HELLO, max_tokens=1000)
    assert (books.spent, books.estimates) == (cost, 0)
