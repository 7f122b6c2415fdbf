"""Google's usage reports are compared with themselves, and with what visibly arrived."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aumos_governance.integrations.guarding.calls import Cost, UsageMissingError
from aumos_governance.integrations.pricing.rates import Rates, UnusableUsageError
from aumos_governance.integrations.pricing.seen import Seen
from aumos_governance.integrations.pricing.usage import BYTES_A_TOKEN, least_tokens, weight
from tests.integrations.google.gemini import MILLION, MODEL, USED, cost, generate, listed, rates, response

IN, OUT = Decimal("0.3") / MILLION, Decimal("2.5") / MILLION


class TestDoubt:
    @pytest.mark.parametrize(
        "usage",
        [
            {},
            {"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0},
            {"promptTokenCount": 1000, "totalTokenCount": 1000},
            {"promptTokenCount": 1000},
            {"promptTokenCount": 1000, "candidatesTokenCount": 0},
            {"promptTokenCount": 1000, "candidatesTokenCount": 1, "totalTokenCount": 1001},
            {"candidatesTokenCount": 100},
            {**USED, "promptTokenCount": "1000"},
            {**USED, "cachedContentTokenCount": 1001},
            {**USED, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 1001}]},
            {**USED, "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 90}]},
            {**USED, "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 90}]},
            {**USED, "groundingQueryCount": 3},
        ],
        ids=str,
    )
    def test_zeros_gaps_and_contradictions_beside_content_are_charged_as_held(self, usage: Any) -> None:
        with pytest.raises((UsageMissingError, UnusableUsageError)):
            cost(usage)

    def test_without_a_report_what_was_held_is_charged(self) -> None:
        with pytest.raises(UsageMissingError):
            cost(None)

    def test_a_count_of_nothing_is_left_out_where_nothing_arrived(self) -> None:
        usage = {"promptTokenCount": 1000, "totalTokenCount": 1000}
        assert cost(usage, parts=[]) == Cost(1000 * IN)
        blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
        assert generate().cost(rates(), blocked) == Cost(1000 * IN)

    @pytest.mark.parametrize("total", [{}, {"totalTokenCount": 0}, {"totalTokenCount": 900}])
    def test_a_count_that_is_left_out_is_nothing_only_by_the_total(self, total: Any) -> None:
        with pytest.raises(UsageMissingError):
            cost({"promptTokenCount": 1000, **total}, parts=[])

    def test_an_output_that_the_total_leaves_out_is_charged(self) -> None:
        usage = {"promptTokenCount": 1000, "candidatesTokenCount": 5, "totalTokenCount": 1000}
        assert cost(usage, parts=[]) == Cost(1000 * IN + 5 * OUT, estimated=True)

    def test_where_nothing_is_visible_nothing_is_the_least(self) -> None:
        with pytest.raises(UsageMissingError) as missing:
            cost({}, parts=[])
        assert missing.value.least == 0

    def test_thoughts_alone_are_output(self) -> None:
        usage = {"promptTokenCount": 1000, "thoughtsTokenCount": 256, "totalTokenCount": 1256}
        assert cost(usage, parts=[]) == Cost(1000 * IN + 256 * OUT)

    def test_what_only_the_total_has_is_output(self) -> None:
        assert cost({**USED, "totalTokenCount": 1700}) == Cost(1000 * IN + 700 * OUT, estimated=True)
        assert cost({"promptTokenCount": 1000, "totalTokenCount": 1700}) == Cost(1000 * IN + 700 * OUT, estimated=True)

    def test_thoughts_that_the_total_finds_within_the_candidates_are_not_charged_twice(self) -> None:
        usage = {**USED, "thoughtsTokenCount": 40, "totalTokenCount": 1100}
        assert cost(usage) == Cost(1000 * IN + 100 * OUT)

    def test_a_total_of_less_leaves_a_doubt(self) -> None:
        assert cost({**USED, "totalTokenCount": 1050}) == Cost(listed(USED), estimated=True)

    def test_details_of_text_that_contradict_the_sums_change_nothing(self) -> None:
        usage = {**USED, "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 900}]}
        assert cost(usage) == Cost(listed(USED))

    def test_a_tool_call_is_content_too(self) -> None:
        call = [{"functionCall": {"name": "send", "args": {"text": "x" * 5000}}}]
        with pytest.raises(UsageMissingError):
            cost(USED, parts=call)
        assert cost({**USED, "candidatesTokenCount": 400, "totalTokenCount": 1400}, parts=call).estimated is False

    def test_a_shown_thought_is_seen(self) -> None:
        thought = [{"text": "x" * 5000, "thought": True}]
        with pytest.raises(UsageMissingError):
            cost(USED, parts=thought)

    def test_what_is_visible_is_the_least_that_is_charged(self) -> None:
        with pytest.raises(UsageMissingError) as missing:
            cost({}, parts=[{"text": "word " * 40_000}])
        assert missing.value.least == 200_000 // BYTES_A_TOKEN * OUT


# ---- for any report

COUNT = st.one_of(st.none(), st.integers(0, 5_000), st.just(0))
DETAILS = st.lists(
    st.fixed_dictionaries(
        {"modality": st.sampled_from(["TEXT", "AUDIO", "IMAGE", "VIDEO", "DOCUMENT"]), "tokenCount": COUNT}
    ),
    max_size=3,
)
USAGE = st.fixed_dictionaries(
    {},
    optional={
        "promptTokenCount": COUNT,
        "candidatesTokenCount": COUNT,
        "thoughtsTokenCount": COUNT,
        "toolUsePromptTokenCount": COUNT,
        "cachedContentTokenCount": COUNT,
        "totalTokenCount": COUNT,
        "promptTokensDetails": DETAILS,
        "cacheTokensDetails": DETAILS,
        "candidatesTokensDetails": DETAILS,
        "searchQueryCount": COUNT,
    },
)


def charged(prices: Rates, usage: Any, text: str, how: str) -> tuple[Decimal, bool, Decimal]:
    """The charged amount, whether it is an estimate, and the held amount."""
    paid = generate(generationConfig={"maxOutputTokens": 4_000}, method="streamGenerateContent")
    held = paid.worst(prices)
    whole = response(usage, parts=[{"text": text}])
    try:
        if how == "whole":
            cost = paid.cost(prices, whole)
        else:
            meter = paid.meter()
            meter.see(json.dumps({**whole, "candidates": [{"content": {"parts": [{"text": text}]}}]}).encode())
            if how == "streamed":
                meter.see(json.dumps(response(usage, parts=[])).encode())
                meter.seen.whole = True
            cost = paid.cost(prices, meter.response or {}, meter.seen)
    except UsageMissingError as missing:
        return max(held, missing.least), True, held
    except UnusableUsageError:
        return held, True, held
    return cost.usd, cost.estimated, held


@settings(deadline=None, max_examples=500)
@given(USAGE, st.text(max_size=300), st.sampled_from(["whole", "streamed", "broken"]))
def test_no_report_makes_a_call_cheaper_than_what_is_visible(usage: Any, text: str, how: str) -> None:
    cost, estimated, held = charged(rates(), usage, text, how)
    assert cost >= least_tokens(Seen(text=weight(text))) * OUT
    counted = [usage.get(name) or 0 for name in ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")]
    if cost > held and not estimated:
        # More than was held is charged only where all counts say so.
        into = counted[0] + (usage.get("toolUsePromptTokenCount") or 0)
        assert cost <= (into + (counted[1] + counted[2]) * Decimal("2.5")) / MILLION
    if not any(usage.values()) and (text or how == "broken"):
        assert estimated
    if not usage and text:
        assert (cost, estimated) == (max(held, least_tokens(Seen(text=weight(text))) * OUT), True)


@settings(deadline=None, max_examples=300)
@given(
    st.integers(1, 9_000), st.integers(2, 5_000), st.integers(0, 5_000), st.integers(0, 9_000), st.integers(0, 9_000)
)
def test_every_consistent_report_costs_what_genai_prices_makes_of_it(
    text: int, output: int, thoughts: int, sound: int, cached: int
) -> None:
    into = text + sound
    usage = {
        "promptTokenCount": into,
        "candidatesTokenCount": output,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": 0 if sound else min(cached, text),
        "totalTokenCount": into + output + thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": text}, {"modality": "AUDIO", "tokenCount": sound}],
    }
    found = cost(usage)
    assert found == Cost(listed(usage, MODEL))
