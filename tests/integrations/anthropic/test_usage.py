"""Anthropic's usage reports are compared with themselves, and with what visibly arrived."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aumos_governance.integrations.anthropic.calls import PROVIDER
from aumos_governance.integrations.guarding.calls import (
    ApiRequest,
    Cost,
    Meter,
    Paid,
    UsageMissingError,
)
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.integrations.pricing.rates import UnusableUsageError
from aumos_governance.integrations.pricing.seen import Seen

# By genai-prices: $4 in, $20 out, $0.20 from the cache, $5 into it, $8 for an hour; per million.
MODEL = "claude-opus-5-5"
RATES = Prices().rates(MODEL, provider="anthropic")
MILLION = Decimal(1_000_000)
FULL = {"input_tokens": 1000, "output_tokens": 100}
FULL_COST = (1000 * 4 + 100 * 20) / MILLION
TEXT = [{"type": "text", "text": "The answer is forty-two. " * 4}]


def message(**body: Any) -> Paid:
    paid = PROVIDER.paid(ApiRequest("post", "/v1/messages", {"model": MODEL, "max_tokens": 200, **body}))
    assert paid is not None
    return paid


def cost(usage: Any, content: Any = TEXT, seen: Seen | None = None, /, model: str = MODEL, **body: Any) -> Cost:
    return message(**body).cost(RATES, {"model": model, "usage": usage, "content": content}, seen)


class TestDoubt:
    @pytest.mark.parametrize(
        "usage",
        [
            {"input_tokens": 0, "output_tokens": 0},
            {"input_tokens": 1000, "output_tokens": 0},
            {"input_tokens": 0, "output_tokens": 100},
            {"input_tokens": 1000, "output_tokens": 1},
            {"input_tokens": 1000},
            {"output_tokens": 100},
            {"input_tokens": None, "output_tokens": None},
            {},
        ],
    )
    def test_zeros_and_gaps_beside_content_are_charged_as_held(self, usage: Any) -> None:
        with pytest.raises(UsageMissingError):
            cost(usage)

    def test_a_response_without_output_is_charged_by_its_input(self) -> None:
        assert cost({"input_tokens": 1000, "output_tokens": 0}, []) == Cost(1000 * 4 / MILLION)

    def test_a_request_that_was_declined_before_it_began_costs_nothing(self) -> None:
        response = {
            "model": MODEL,
            "usage": {"input_tokens": 0, "output_tokens": 0},
            "content": [],
            "stop_reason": "refusal",
        }
        assert message().cost(RATES, response) == Cost(Decimal(0))

    def test_a_tool_call_is_content_too(self) -> None:
        call = [{"type": "tool_use", "id": "t", "name": "send", "input": {"text": "x" * 500}}]
        with pytest.raises(UsageMissingError):
            cost({"input_tokens": 1000, "output_tokens": 5}, call)
        assert cost(FULL, call) == Cost(FULL_COST)

    def test_reasoning_counted_beside_the_output_is_charged_too(self) -> None:
        usage = {**FULL, "output_tokens_details": {"thinking_tokens": 150}}
        assert cost(usage) == Cost((1000 * 4 + 250 * 20) / MILLION, estimated=True)

    def test_reasoning_within_the_output_is_not_charged_twice(self) -> None:
        assert cost({**FULL, "output_tokens_details": {"thinking_tokens": 60}}) == Cost(FULL_COST)

    def test_what_a_total_leaves_unexplained_is_charged_as_output(self) -> None:
        assert cost({**FULL, "total_tokens": 1100}) == Cost(FULL_COST)
        assert cost({**FULL, "total_tokens": 1150}) == Cost((1000 * 4 + 150 * 20) / MILLION, estimated=True)

    def test_of_two_counts_of_the_same_the_larger_is_charged(self) -> None:
        assert cost({**FULL, "prompt_tokens": 1000, "completion_tokens": 100}) == Cost(FULL_COST)
        assert cost({**FULL, "completion_tokens": 130}) == Cost((1000 * 4 + 130 * 20) / MILLION, estimated=True)
        assert cost({**FULL, "prompt_tokens": 1200}) == Cost((1200 * 4 + 100 * 20) / MILLION, estimated=True)

    def test_a_cache_write_that_is_not_broken_down_is_charged_as_the_dearest_that_was_requested(self) -> None:
        written = {**FULL, "cache_creation_input_tokens": 1000}
        hour = [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
        assert cost(written) == Cost(FULL_COST + 1000 * 5 / MILLION)
        assert cost(written, system=hour) == Cost(FULL_COST + 1000 * 8 / MILLION, estimated=True)
        parts = {"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 600}
        reported = cost({**written, "cache_creation": parts}, system=hour)
        assert reported == Cost(FULL_COST + (400 * 5 + 600 * 8) / MILLION)

    @pytest.mark.parametrize(
        "usage",
        [
            {**FULL, "cache_creation_input_tokens": 5, "cache_creation": {"ephemeral_5m_input_tokens": 6}},
            {**FULL, "cache_creation": {"ephemeral_30d_input_tokens": 6}},
            {**FULL, "server_tool_use": {"image_generation_requests": 1}},
            {**FULL, "video_seconds": 3},
        ],
    )
    def test_counts_that_contradict_each_other_or_have_no_price_are_charged_as_held(self, usage: Any) -> None:
        with pytest.raises(UsageMissingError):
            cost(usage)

    def test_another_model_s_response_whose_price_is_not_known_is_charged_as_held(self) -> None:
        with pytest.raises(UsageMissingError):
            cost(FULL, model="our-model")
        assert cost(FULL, model=f"{MODEL}-20260901") == Cost(FULL_COST)

    def test_counts_of_nothing_and_of_what_is_free_are_not(self) -> None:
        free = {"web_fetch_requests": 9, "image_generation_requests": 0}
        assert cost({**FULL, "server_tool_use": free, "video_seconds": 0}) == Cost(FULL_COST)

    def test_a_redeemed_credit_leaves_a_doubt(self) -> None:
        credit = {"status": {"type": "redeemed"}}
        assert cost({**FULL, "fallback_credit": credit}) == Cost(FULL_COST, estimated=True)
        assert cost({**FULL, "fallback_credit": {"status": {"type": "not_applied"}}}) == Cost(FULL_COST)


OWN: Any = {"type": "message", "input_tokens": 1000, "output_tokens": 100}


class TestIterations:
    def test_of_the_model_that_responded_are_part_of_the_sums(self) -> None:
        turns = [{**OWN, "output_tokens": 40}, {**OWN, "input_tokens": 0, "output_tokens": 60}]
        assert cost({**FULL, "iterations": turns}) == Cost(FULL_COST)
        assert cost({**FULL, "iterations": [{**OWN, "model": f"{MODEL}-20260901"}]}) == Cost(FULL_COST)

    def test_that_come_to_more_than_the_sums_are_charged(self) -> None:
        more = cost({**FULL, "iterations": [OWN, OWN]})
        assert more == Cost(2 * FULL_COST, estimated=True)

    def test_of_a_compaction_are_charged_beside_them(self) -> None:
        compaction = {"type": "compaction", "input_tokens": 2000, "output_tokens": 50}
        assert cost({**FULL, "iterations": [compaction, OWN]}) == Cost(FULL_COST + (2000 * 4 + 50 * 20) / MILLION)

    def test_of_a_request_that_only_compacts_are_all_that_it_costs(self) -> None:
        compaction = {"type": "compaction", "input_tokens": 2000, "output_tokens": 50}
        block = [{"type": "compaction", "content": "What was said so far."}]
        usage = {"input_tokens": 0, "output_tokens": 0, "iterations": [compaction]}
        assert cost(usage, block) == Cost((2000 * 4 + 50 * 20) / MILLION)

    def test_of_an_advisor_are_charged_at_its_own_price(self) -> None:
        advice = {"type": "advisor_message", "model": "claude-fable-5", "input_tokens": 3000, "output_tokens": 500}
        assert cost({**FULL, "iterations": [OWN, advice]}) == Cost(FULL_COST + (3000 * 10 + 500 * 50) / MILLION)

    def test_of_a_model_that_declined_after_a_part_of_its_response_are_charged_at_its_price(self) -> None:
        # As https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback shows it.
        def served(output: int) -> Cost:
            declined = {"type": "message", "model": "claude-fable-5", "input_tokens": 535, "output_tokens": output}
            last = {"type": "fallback_message", "model": MODEL, "input_tokens": 1000, "output_tokens": 100}
            usage = {**FULL, "iterations": [declined, last]}
            return message(model="claude-fable-5").cost(RATES, {"model": MODEL, "usage": usage, "content": TEXT})

        assert served(0) == Cost(FULL_COST)
        assert served(20) == Cost(FULL_COST + (535 * 10 + 20 * 50) / MILLION)

    def test_at_a_geography_are_charged_at_it(self) -> None:
        advice = {"type": "advisor_message", "model": "claude-fable-5", "input_tokens": 3000, "output_tokens": 500}
        usage = {**FULL, "inference_geo": "us", "iterations": [OWN, advice]}
        assert cost(usage).usd == (FULL_COST + (3000 * 10 + 500 * 50) / MILLION) * Decimal("1.1")

    def test_on_bedrock_are_charged_by_the_profile_of_the_request(self) -> None:
        name = "eu.anthropic.claude-opus-5"
        paid = message(model=name)
        declined = {"type": "message", "model": "claude-fable-5", "input_tokens": 1000, "output_tokens": 10}
        usage = {**FULL, "iterations": [declined]}
        rates = Prices().rates(name, provider="aws")
        regional = (1000 * 5 + 100 * 25 + 1000 * 10 + 10 * 50) / MILLION * Decimal("1.1")
        assert paid.cost(rates, {"model": "claude-opus-5", "usage": usage}) == Cost(regional)

    @pytest.mark.parametrize(
        "iteration",
        [
            "?",
            {"type": "dream", "input_tokens": 1, "output_tokens": 1},
            {"type": "advisor_message", "input_tokens": 1, "output_tokens": 1},
            {"type": "fallback_message", "model": "claude-fable-5", "input_tokens": 1, "output_tokens": 1},
            {"type": "compaction"},
            {"input_tokens": 1, "output_tokens": 1},
        ],
    )
    def test_of_an_unknown_kind_are_charged_as_held(self, iteration: Any) -> None:
        with pytest.raises(UsageMissingError):
            cost({**FULL, "iterations": [iteration]})


START = {"type": "message_start", "message": {"model": MODEL, "usage": {"input_tokens": 1000, "output_tokens": 1}}}


class TestAStreamThatBreaksOff:
    def charged(self, *events: Any, **body: Any) -> Cost:
        paid = message(stream=True, **body)
        meter: Meter = paid.meter()
        for event in events:
            meter.see(json.dumps(event).encode())
        return paid.cost(RATES, meter.response or {}, meter.seen)

    def text(self, text: str) -> Any:
        return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}

    def test_is_charged_by_its_input_and_by_what_arrived(self) -> None:
        charged = self.charged(START, self.text("é" * 30), thinking={"type": "disabled"})
        assert charged == Cost((1000 * 4 + 60 * 20) / MILLION, estimated=True)

    def test_counts_the_arguments_of_tools(self) -> None:
        begun = {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "name": "send", "input": {}},
        }
        part = {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": "x" * 6},
        }
        charged = self.charged(START, begun, part, thinking={"type": "disabled"})
        assert charged == Cost((1000 * 4 + 10 * 20) / MILLION, estimated=True)

    def test_never_charges_more_than_the_longest_response(self) -> None:
        charged = self.charged(START, self.text("x" * 5000), thinking={"type": "disabled"})
        assert charged == Cost((1000 * 4 + 200 * 20) / MILLION, estimated=True)

    @pytest.mark.parametrize(
        ("model", "thinking"),
        [
            (MODEL, {"type": "adaptive"}),
            (MODEL, {"type": "enabled", "budget_tokens": 1024}),
            # The model decides, where the request does not mention it.
            (MODEL, None),
        ],
    )
    def test_is_charged_at_its_longest_where_reasoning_may_be_hidden(self, model: str, thinking: Any) -> None:
        charged = self.charged(START, self.text("Hi"), model=model, thinking=thinking)
        assert charged == Cost((1000 * 4 + 200 * 20) / MILLION, estimated=True)

    def test_of_an_earlier_model_hides_nothing_unless_thinking_is_requested(self) -> None:
        assert self.charged(START, self.text("Hi"), model="claude-sonnet-4-5").usd == (4000 + 2 * 20) / MILLION

    def test_shows_that_it_thinks(self) -> None:
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}
        charged = self.charged(START, block, thinking={"type": "disabled"})
        assert charged.usd == (1000 * 4 + 200 * 20) / MILLION

    def test_after_its_usage_is_charged_by_that(self) -> None:
        end = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 100}}
        assert self.charged(START, self.text("Hi"), end) == Cost(FULL_COST, estimated=True)

    @pytest.mark.parametrize(
        "body",
        [
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            {"fallbacks": [{"model": "claude-opus-4-8"}]},
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
        ],
        ids=["server tool", "fallback", "compaction"],
    )
    def test_is_charged_as_held_where_the_provider_does_more_than_it_has_reported(self, body: Any) -> None:
        with pytest.raises(UsageMissingError):
            self.charged(START, self.text("Hi"), thinking={"type": "disabled"}, **body)

    def test_before_it_began_is_charged_as_held(self) -> None:
        with pytest.raises(UsageMissingError):
            self.charged()

    def test_that_ended_without_its_output_is_charged_as_held(self) -> None:
        paid = message(stream=True)
        meter = paid.meter()
        for event in (START, self.text("Hi"), {"type": "message_stop"}):
            meter.see(json.dumps(event).encode())
        meter.seen.whole = True
        with pytest.raises(UsageMissingError):
            paid.cost(RATES, meter.response or {}, meter.seen)


COUNTS = st.one_of(st.none(), st.just(0), st.integers(0, 200), st.integers(-5, 100_000), st.just("many"))
DETAILS = st.one_of(st.none(), st.dictionaries(st.sampled_from(["thinking_tokens", "new_tokens"]), COUNTS))
CREATED = st.dictionaries(st.sampled_from(["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"]), COUNTS)
ITERATION = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "fallback_message", "compaction", "advisor_message", "new"])},
    optional={
        "model": st.sampled_from([MODEL, "claude-fable-5", "claude-haiku-4-5", "unknown"]),
        "input_tokens": COUNTS,
        "output_tokens": COUNTS,
    },
)
USAGE = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": COUNTS,
        "output_tokens": COUNTS,
        "total_tokens": COUNTS,
        "cache_read_input_tokens": COUNTS,
        "cache_creation_input_tokens": COUNTS,
        "cache_creation": st.one_of(st.none(), CREATED),
        "output_tokens_details": DETAILS,
        "server_tool_use": st.dictionaries(
            st.sampled_from(["web_search_requests", "web_fetch_requests", "new_requests"]), COUNTS
        ),
        "inference_geo": st.sampled_from([None, "us", "global", "not_available", "eu"]),
        "service_tier": st.sampled_from([None, "standard", "priority", "batch", "new"]),
        "speed": st.sampled_from([None, "standard", "fast"]),
        "iterations": st.one_of(st.none(), st.lists(ITERATION, max_size=3)),
    },
)


@given(usage=USAGE, length=st.integers(0, 2000), whole=st.booleans())
def test_whatever_is_reported_no_charge_is_below_what_arrived(usage: Any, length: int, whole: bool) -> None:
    """No charge is below the cost of the visible output at the fewest tokens and the lowest price that it can have."""
    seen = Seen(text=length, hidden=False, whole=whole)
    try:
        charged = cost(usage, [], seen)
    except (UsageMissingError, UnusableUsageError):
        return  # What was held is charged, as an estimate.
    half = Decimal("0.5") if usage.get("service_tier") == "batch" else Decimal(1)
    assert charged.usd >= half * -(-length // 64) * 20 / MILLION
    assert charged.estimated or whole


@given(
    usage=USAGE,
    text=st.text(max_size=300),
    limit=st.integers(0, 500),
    searches=st.booleans(),
    hour=st.booleans(),
)
def test_a_report_within_the_request_s_limits_is_never_charged_above_the_hold(
    usage: Any, text: str, limit: int, searches: bool, hour: bool
) -> None:
    """No charge exceeds its hold for a reason that the request shows."""
    ttl = {"type": "ephemeral", "ttl": "1h"} if hour else {"type": "ephemeral"}
    content = [{"type": "text", "text": text, "cache_control": ttl}]
    tools: Any = [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}] if searches else []
    paid = message(messages=[{"role": "user", "content": content}], max_tokens=limit, tools=tools)
    held = paid.worst(RATES)
    usage = {name: value for name, value in usage.items() if name not in ("iterations", "total_tokens", "speed")}
    try:
        charged = paid.cost(RATES, {"model": MODEL, "usage": usage, "content": []})
    except (UsageMissingError, UnusableUsageError):
        return
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    input_tokens = sum(usage.get(name) or 0 for name in names)
    used = (usage.get("server_tool_use") or {}).get("web_search_requests") or 0
    within = input_tokens <= len(text.encode()) and (usage.get("output_tokens") or 0) <= limit
    if within and used <= (3 if searches else 0):
        assert charged.usd <= held or charged.estimated
