"""The costs of Anthropic's requests by terms beside the model's name: geography, speed, tier and tools."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from anthropic import Omit, beta_tool
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from aumos_governance import ConfigurationError, GovernanceEngine
from aumos_governance.integrations.anthropic.calls import PROVIDER
from aumos_governance.integrations.guarding.calls import ApiRequest, Cost, Paid, UsageMissingError
from aumos_governance.integrations.guarding.guard import Guard
from aumos_governance.integrations.pricing.prices import Prices, Rates
from tests.integrations.till import needs_prices_of_0_2

# By genai-prices: $4 in and $20 out per million tokens, $5 into the cache, $8 for an hour; fast at $8 and $40.
MODEL = "claude-opus-5-5"
OLD = "claude-haiku-4-5"
GLOBAL = {"inference_geo": "global"}
MILLION = Decimal(1_000_000)
ONE = {"input_tokens": 1000, "output_tokens": 100}
LIST_COST = (1000 * 4 + 100 * 20) / MILLION


def rates(model: str = MODEL, **stated: Any) -> Rates:
    return Prices(**stated).rates(model, provider="anthropic")


def message(model: str = MODEL, **body: Any) -> Paid:
    paid = PROVIDER.paid(ApiRequest("post", "/v1/messages", {"model": model, "max_tokens": 100, **body}))
    assert paid is not None
    return paid


def worst(at: Rates | None = None, **body: Any) -> Decimal:
    return message(**body).worst(at or rates(body.get("model", MODEL)))


def cost(usage: dict[str, Any], at: Rates | None = None, /, **body: Any) -> Cost:
    paid = message(**body)
    response = {"model": paid.model, "usage": usage, "content": [{"type": "text", "text": "Hello"}]}
    return paid.cost(at or rates(paid.model), response)


class TestGeography:
    def test_of_the_workspace_is_in_the_hold_unless_the_request_states_one(self) -> None:
        assert worst() == worst(inference_geo="us") == worst(**GLOBAL) * Decimal("1.1")
        assert worst(inference_geo=Omit()) == worst()

    def test_of_models_that_have_none_is_not(self) -> None:
        assert worst(model=OLD) == worst(model=OLD, **GLOBAL)

    @pytest.mark.parametrize(
        ("stated", "multiplier"), [(None, "1"), ("global", "1"), ("not_available", "1"), ("us", "1.1")]
    )
    def test_is_charged_by_the_word_of_the_response(self, stated: str | None, multiplier: str) -> None:
        assert cost({**ONE, "inference_geo": stated}) == Cost(LIST_COST * Decimal(multiplier))

    def test_is_that_of_the_request_where_the_response_does_not_say_it(self) -> None:
        assert cost(ONE, inference_geo="us") == Cost(LIST_COST * Decimal("1.1"))
        assert cost({**ONE, "inference_geo": "global"}, inference_geo="us") == Cost(LIST_COST)

    def test_does_not_multiply_the_fee_of_a_search(self) -> None:
        usage = {**ONE, "inference_geo": "us", "server_tool_use": {"web_search_requests": 2}}
        tools = [{"type": "web_search_20250305", "name": "web_search"}]
        assert cost(usage, tools=tools) == Cost(LIST_COST * Decimal("1.1") + Decimal("0.02"))

    def test_without_a_published_price_is_refused_and_charged_as_held(self) -> None:
        with pytest.raises(ConfigurationError, match=r"inference_geo='eu'.* price="):
            worst(inference_geo="eu")
        with pytest.raises(UsageMissingError):
            cost({**ONE, "inference_geo": "eu"})

    def test_does_not_change_a_stated_price(self) -> None:
        stated = rates(price={"input_mtok": 4, "output_mtok": 20})
        assert cost({**ONE, "inference_geo": "us"}, stated) == Cost(LIST_COST)
        assert worst(stated, inference_geo="eu") == worst(**GLOBAL)


class TestSpeed:
    @needs_prices_of_0_2
    def test_fast_is_held_and_charged_at_its_price(self) -> None:
        assert worst(speed="fast", **GLOBAL) == 2 * worst(**GLOBAL)
        assert cost({**ONE, "speed": "fast"}, speed="fast") == Cost(2 * LIST_COST)
        # The response does not say it: as requested.
        assert cost(ONE, speed="fast") == Cost(2 * LIST_COST)

    def test_standard_is_charged_where_the_response_names_it(self) -> None:
        assert cost({**ONE, "speed": "standard"}, speed="fast") == Cost(LIST_COST)

    @needs_prices_of_0_2
    def test_both_multiply(self) -> None:
        assert cost({**ONE, "speed": "fast", "inference_geo": "us"}) == Cost(2 * LIST_COST * Decimal("1.1"))

    def test_without_a_published_price_is_refused_and_charged_as_held(self) -> None:
        with pytest.raises(ConfigurationError, match=r"speed='fast'"):
            worst(model=OLD, speed="fast")
        with pytest.raises(UsageMissingError):
            cost({**ONE, "speed": "fast"}, model=OLD)

    def test_of_a_model_that_ignores_it_costs_nothing_more(self) -> None:
        model = "claude-opus-4-6"
        assert worst(model=model, speed="fast") == worst(model=model)
        assert cost({**ONE, "speed": "standard"}, model=model, speed="fast").usd == (1000 * 5 + 100 * 25) / MILLION


class TestTiers:
    def test_a_batch_costs_half(self) -> None:
        assert cost({**ONE, "service_tier": "batch"}) == Cost(LIST_COST / 2)

    def test_a_batch_of_a_model_whose_batch_price_is_not_listed_costs_half_too(self) -> None:
        usage = {**ONE, "service_tier": "batch"}
        assert cost(usage, model="claude-3-haiku-20240307").usd == (1000 * Decimal("0.25") + 125) / 2 / MILLION

    @pytest.mark.parametrize("tier", ["priority", "flex", "a new one"])
    def test_without_a_published_price_are_charged_as_held(self, tier: str) -> None:
        with pytest.raises(UsageMissingError):
            cost({**ONE, "service_tier": tier})


CODE = {"type": "code_execution_20260521", "name": "code_execution"}


class TestCodeExecution:
    @pytest.mark.parametrize(
        "web",
        [
            "web_search_20260209",
            "web_search_20260318",
            "web_fetch_20260209",
            "web_fetch_20260309",
            "web_fetch_20270101",
        ],
    )
    def test_is_free_beside_a_newer_web_tool(self, web: str) -> None:
        tools = [CODE, {"type": web, "name": "web", "max_uses": 1}]
        assert worst(tools=tools) > 0
        used = {"code_execution_requests": 3, "web_fetch_requests": 2}
        assert cost({**ONE, "server_tool_use": used}, tools=tools) == Cost(LIST_COST)

    @pytest.mark.parametrize("web", [None, "web_search_20250305", "web_fetch_20250910"])
    def test_is_refused_otherwise_with_what_solves_it(self, web: str | None) -> None:
        tools = [CODE, *([{"type": web, "name": "web"}] if web else [])]
        with pytest.raises(ConfigurationError, match=r"web_search_20260209.*fee=.*cost="):
            worst(tools=tools)
        stated = rates(fee="0.05")
        assert worst(stated, tools=tools) > 0
        used = {"code_execution_requests": 1}
        assert cost({**ONE, "server_tool_use": used}, stated, tools=tools) == Cost(LIST_COST)
        assert worst(rates(cost="0.5"), tools=tools) == Decimal("0.5")

    def test_that_was_not_foreseen_is_charged_as_held(self) -> None:
        with pytest.raises(UsageMissingError):
            cost({**ONE, "server_tool_use": {"code_execution_requests": 1}}, tools=[CODE])


class TestWebSearches:
    def test_without_a_price_name_the_key_that_states_it(self) -> None:
        tools = [{"type": "web_search_20250305", "name": "web_search"}]
        with pytest.raises(ConfigurationError, match="web_searches_kcount"):
            worst(rates(price={"input_mtok": 1, "output_mtok": 1}), tools=tools)
        assert worst(rates(price={"input_mtok": 1, "output_mtok": 1, "web_searches_kcount": 10}), tools=tools) > 0

    def test_have_no_price_on_bedrock(self) -> None:
        at = Prices().rates("us.anthropic.claude-opus-5-5", provider="aws")
        with pytest.raises(ConfigurationError, match="web_searches_kcount"):
            worst(at, tools=[{"type": "web_search_20250305", "name": "web_search"}])


class TestToolDefinitions:
    @pytest.mark.parametrize(
        ("kind", "tokens"),
        [
            ("computer_toolset_20260801", 4_590),
            ("browser_toolset_20260801", 6_670 + 880),
            ("bash_20250124", 325),
            ("text_editor_20250728", 700),
        ],
    )
    def test_that_a_name_stands_for_are_held(self, kind: str, tokens: int) -> None:
        more = worst(tools=[{"type": kind, "name": "x"}], **GLOBAL) - worst(**GLOBAL)
        assert more >= tokens * 4 / MILLION


class TestOtherModels:
    def test_a_fallback_is_held_beside_the_first_attempt(self) -> None:
        listed = worst(model="claude-fable-5", fallbacks=[{"model": "claude-opus-4-8"}], **GLOBAL)
        assert listed == worst(model="claude-fable-5", **GLOBAL) + worst(model="claude-opus-4-8", **GLOBAL)

    def test_a_fallback_s_own_limit_counts(self) -> None:
        longer = worst(fallbacks=[{"model": MODEL, "max_tokens": 1100}], **GLOBAL)
        assert longer == 2 * worst(**GLOBAL) + 1000 * 20 / MILLION

    def test_the_server_s_choice_is_held_as_the_requested_model(self) -> None:
        assert worst(fallbacks="default") == 2 * worst()

    @needs_prices_of_0_2
    def test_a_fast_request_falls_back_to_what_the_other_model_offers(self) -> None:
        listed = worst(speed="fast", fallbacks=[{"model": OLD}], **GLOBAL)
        assert listed == worst(speed="fast", **GLOBAL) + worst(model=OLD, **GLOBAL)

    def test_an_advisor_is_held_for_each_use(self) -> None:
        def advised(uses: int) -> Decimal:
            tool = {"type": "advisor_20260301", "name": "advisor", "model": "claude-fable-5", "max_uses": uses}
            return worst(tools=[{**tool, "max_tokens": 1000}], **GLOBAL)

        assert advised(2) - advised(1) > 1000 * 50 / MILLION

    def test_a_model_without_a_price_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="'our-model'"):
            worst(fallbacks=[{"model": "our-model"}])

    def test_compaction_is_held_where_the_conversation_may_reach_its_trigger(self) -> None:
        def compacted(size: int, trigger: int) -> Decimal:
            edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": trigger}}
            return worst(system="x" * size, context_management={"edits": [edit]}, **GLOBAL)

        assert compacted(60_000, 50_000) > Decimal("1.9") * compacted(60_000, 90_000)


class Answer(BaseModel):
    """What is wanted."""

    text: str
    certain: bool


@dataclass
class Place:
    name: str


class TestClasses:
    """A class is measured by its schema, and whatever error it raises becomes a ConfigurationError."""

    @pytest.mark.parametrize("given", [Answer, Place, list[Answer], object()], ids=["model", "dataclass", "list", "?"])
    @pytest.mark.parametrize("name", ["output_format", "tools", "output_config"])
    def test_in_place_of_a_schema(self, name: str, given: Any) -> None:
        assert worst(**{name: [given] if name == "tools" else given}) > worst()

    def test_its_schema_is_part_of_the_input(self) -> None:
        assert worst(output_format=Answer) - worst() < 1000 * 4 * Decimal("1.1") / MILLION

    def test_a_function_that_is_a_tool(self) -> None:
        @beta_tool
        def send(to: str) -> str:
            """Send a message."""
            return to

        assert worst() < worst(tools=[send]) < worst() + 2000 * 4 * Decimal("1.1") / MILLION


ODD = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.binary(max_size=20),
        st.sampled_from([Answer, Place, Answer(text="x", certain=True), object(), Omit(), iter(()), len]),
        st.sampled_from(
            ["web_search_20260209", "advisor_20260301", "compact_20260112", "image", "document", "default"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.dictionaries(
            st.sampled_from(["type", "source", "edits", "trigger", "value", "max_uses", "max_tokens", "model", "ttl"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
FIELDS = ["messages", "system", "tools", "context_management", "fallbacks", "thread", "container", "max_tokens"]


@given(body=st.dictionaries(st.sampled_from([*FIELDS, "speed", "inference_geo", "output_format", "thinking"]), ODD))
def test_no_request_makes_a_hold_fail_but_by_a_sentence(body: dict[str, Any]) -> None:
    paid = message(**body)
    held, sentence = Decimal(0), "nothing was sent"
    try:
        held = paid.worst(rates())
    except ConfigurationError as refusal:
        sentence = refusal.message
    assert held >= 0
    assert "nothing was sent" in sentence


class Unwilling(BaseModel):
    """Cannot be described."""

    @classmethod
    def model_json_schema(cls, *_: Any, **__: Any) -> Any:
        raise RuntimeError("no schema")


def test_an_unforeseen_error_refuses_the_call_with_its_cause() -> None:
    class Broken(dict[str, Any]):
        def items(self) -> Any:
            raise RuntimeError("a broken mapping")

    guard = Guard(GovernanceEngine(), Prices(), provider="anthropic")
    with pytest.raises(ConfigurationError, match=r"was not sent.*a broken mapping.*cost="):
        guard.action(message(output_format=Broken(type="x")))
    assert guard.action(message(output_format=Unwilling)).budget_amount
    guard.engine.close()
