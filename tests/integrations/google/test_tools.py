"""The tools that Google runs within a call: what is held for them, and what their use costs by the response."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.integrations.google.models import CONTEXT_TOKENS
from aumos_governance.integrations.guarding.calls import Cost
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.google.gemini import MILLION, MODEL, THREE, USED, generate, held, listed, rates, response

LIMITED: dict[str, Any] = {"generationConfig": {"maxOutputTokens": 1000}}


class TestTools:
    def test_the_descriptions_of_functions_are_input(self) -> None:
        tools = [{"functionDeclarations": [{"name": "look", "description": "x" * 500}]}]
        more = held(tools=tools, **LIMITED) - held(**LIMITED)
        assert 500 * Decimal("0.3") / MILLION < more < 700 * Decimal("0.3") / MILLION

    def test_a_grounded_request_is_held_with_its_fee(self) -> None:
        context = (CONTEXT_TOKENS * Decimal("0.3") + 1000 * Decimal("2.5")) / MILLION
        for name in ("googleSearch", "google_search", "googleSearchRetrieval"):
            assert held(tools=[{name: {}}], **LIMITED) == context + Decimal("0.035")
        assert held(tools=[{"googleMaps": {}}], **LIMITED) == context + Decimal("0.025")

    def test_since_gemini_3_each_search_has_a_fee(self) -> None:
        context = (CONTEXT_TOKENS * Decimal("0.5") + 1000 * Decimal(3)) / MILLION
        assert held(THREE, tools=[{"googleSearch": {}}], **LIMITED) == context + 10 * Decimal("0.014")
        assert held(THREE, tools={"googleMaps": {}}, **LIMITED) == context + 10 * Decimal("0.014")

    @pytest.mark.parametrize("name", ["codeExecution", "urlContext", "fileSearch", "mcpServers"])
    def test_what_a_tool_finds_is_input(self, name: str) -> None:
        assert held(tools=[{name: {}}], **LIMITED) == (CONTEXT_TOKENS * 3 + 10_000 * Decimal("2.5")) / (10 * MILLION)

    @pytest.mark.parametrize("name", ["enterpriseWebSearch", "retrieval", "exaAiSearch", "somethingNew"])
    def test_a_tool_without_a_known_price_needs_a_stated_fee(self, name: str) -> None:
        with pytest.raises(ConfigurationError, match=name):
            held(tools=[{name: {}}], **LIMITED)
        paid = generate(tools=[{name: {}}], **LIMITED)
        assert paid.worst(Prices(fee="0.045").rates(MODEL, provider="google")) > 0

    def test_computer_use_is_described_to_the_model_unseen(self) -> None:
        shown = held(tools=[{"functionDeclarations": {}}], **LIMITED)
        more = held(tools=[{"computerUse": {}}], **LIMITED) - shown
        assert more == (8_000 + len("computerUse") - len("functionDeclarations")) * Decimal("0.3") / MILLION

    def test_a_tool_that_is_none_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="tool str"):
            held(tools=["googleSearch"], **LIMITED)

    @pytest.mark.parametrize("name", ["googleSearch", "googleMaps", "codeExecution", "somethingNew"])
    def test_a_flat_cost_is_that_of_a_call_with_tools_too(self, name: str) -> None:
        flat = Prices(cost="0.5").rates(MODEL, provider="google")
        assert generate(tools=[{name: {}}]).worst(flat) == Decimal("0.5")

    def test_a_search_without_a_price_needs_a_stated_one(self) -> None:
        with pytest.raises(ConfigurationError, match="web_searches_kcount"):
            held("gemini-2.5-flash-image", tools=[{"googleSearch": {}}])


def grounded(*queries: str, chunks: Any = ({"web": {"uri": "https://x"}},)) -> dict[str, Any]:
    stated = {"webSearchQueries": list(queries), "groundingChunks": list(chunks)}
    whole = response(USED)
    whole["candidates"][0]["groundingMetadata"] = stated
    return whole


SEARCH = {"tools": [{"googleSearch": {}}]}


class TestGrounding:
    @pytest.mark.parametrize(("queries", "count"), [(("a", "b"), 2), (("a", "", "b", "a"), 2), ((), 0)])
    def test_since_gemini_3_each_different_search_is_charged(self, queries: Any, count: int) -> None:
        found = generate(THREE, **SEARCH).cost(rates(THREE), grounded(*queries))
        assert found == Cost(listed(USED, THREE) + count * Decimal("0.014"))

    @pytest.mark.parametrize(
        ("queries", "chunks", "count"), [(("a", "b"), (), 1), ((), ({"web": {}},), 1), ((), (), 0)]
    )
    def test_before_a_grounded_request_is_charged_once(self, queries: Any, chunks: Any, count: int) -> None:
        found = generate(MODEL, **SEARCH).cost(rates(MODEL), grounded(*queries, chunks=chunks))
        assert found == Cost(listed(USED) + count * Decimal("0.035"))

    def test_searches_beyond_those_that_were_held_are_charged(self) -> None:
        found = generate(THREE, **SEARCH).cost(rates(THREE), grounded(*map(str, range(25))))
        assert found == Cost(listed(USED, THREE) + 25 * Decimal("0.014"))

    def test_a_request_grounded_with_maps_is_charged(self) -> None:
        whole = grounded(chunks=({"maps": {"placeId": "x"}},))
        maps = {"tools": [{"googleMaps": {}}]}
        assert generate(MODEL, **maps).cost(rates(MODEL), whole) == Cost(listed(USED) + Decimal("0.025"))
        # Since Gemini 3 by the search, of which the response does not say how many there were.
        expected = Cost(listed(USED, THREE) + Decimal("0.14"), estimated=True)
        assert generate(THREE, **maps).cost(rates(THREE), whole) == expected

    @pytest.mark.parametrize(
        ("metadata", "fee"),
        [
            ({"googleMapsWidgetContextToken": "x"}, "0.025"),
            ({"google_maps_widget_context_token": "x"}, "0.025"),
            ({"groundingChunks": [{"maps": {}}, {"web": {}}]}, "0.06"),
            ({"groundingChunks": [{"image": {}}]}, "0.035"),
            ({"imageSearchQueries": ["a"]}, "0.035"),
            ({"webSearchQueries": "a"}, "0.035"),
            ({"webSearchQueries": ["", None]}, "0"),
            ({"groundingChunks": ["maps", {"retrievedContext": {}}], "groundingSupports": [{}]}, "0"),
        ],
        ids=str,
    )
    def test_each_sign_of_a_source_is_read(self, metadata: dict[str, Any], fee: str) -> None:
        whole = response(USED)
        whole["candidates"][0]["groundingMetadata"] = metadata
        whole["candidates"].append("a candidate that is no object")
        found = generate(tools=[{"googleSearch": {}, "googleMaps": {}}]).cost(rates(), whole)
        assert found == Cost(listed(USED) + Decimal(fee))

    def test_a_stated_fee_stands_for_what_searches_cost(self) -> None:
        model = "gemini-2.5-flash-image"
        priced = Prices(fee="0.05").rates(model, provider="google")
        found = generate(model, **SEARCH).cost(priced, grounded("a"))
        assert found.usd == Cost(listed(USED, model)).usd
