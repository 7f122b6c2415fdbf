"""The worst cases of requests to Anthropic, and their costs by the responses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from anthropic.types import TextBlock

from aumos_governance import ConfigurationError
from aumos_governance.integrations.anthropic.calls import PROVIDER
from aumos_governance.integrations.anthropic.sizes import size_of
from aumos_governance.integrations.guarding.calls import ApiRequest, Paid, UsageMissingError
from aumos_governance.integrations.pricing.prices import Prices, Rates

MODEL = "claude-sonnet-5-5"
# Stated prices, with which the figures below are computed by hand: input, output, cache read, cache write, cache write
# for an hour, search.
PRICE = {
    "input_mtok": 2,
    "output_mtok": 10,
    "cache_read_mtok": "0.1",
    "cache_write_mtok": "2.5",
    "cache_write_1h_mtok": 4,
    "web_searches_kcount": 10,
}
RATES = Prices(price=PRICE).rates(MODEL, provider="anthropic")
KNOWN = Prices().rates(MODEL, provider="anthropic")


def message(**body: Any) -> Paid:
    paid = PROVIDER.paid(ApiRequest("post", "/v1/messages", {"model": MODEL, "max_tokens": 100, **body}))
    assert paid is not None
    return paid


def worst(rates: Rates = RATES, **body: Any) -> Decimal:
    return message(**body).worst(rates)


def cost(usage: Any, rates: Rates = RATES) -> Decimal:
    return message().cost(rates, {"model": MODEL, "usage": usage}).usd


class TestPaths:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", "/v1/models"),
            ("get", "/v1/messages/batches/msgbatch_1/results"),
            ("delete", "/v1/files/file_1"),
            ("post", "/v1/messages/count_tokens"),
            ("post", "/v1/messages/count_tokens?beta=true"),
            ("post", "/v1/messages/batches/msgbatch_1/cancel"),
            ("post", "/v1/files"),
        ],
    )
    def test_free(self, method: str, path: str) -> None:
        assert PROVIDER.paid(ApiRequest(method, path, {})) is None

    @pytest.mark.parametrize(
        ("path", "name"),
        [("/v1/messages", "messages"), ("/v1/messages?beta=true", "messages"), ("/v1/complete", "completions")],
    )
    def test_paid(self, path: str, name: str) -> None:
        paid = PROVIDER.paid(ApiRequest("post", path, {"model": MODEL}))
        assert paid is not None
        assert (paid.name, paid.model) == (name, MODEL)

    @pytest.mark.parametrize("path", ["/v1/sessions", "/v1/dreams", "/v2/messages"])
    def test_of_unknown_cost(self, path: str) -> None:
        with pytest.raises(ConfigurationError, match="was not sent"):
            PROVIDER.paid(ApiRequest("post", path, {}))


class TestTheWorstCase:
    def test_is_a_token_for_each_byte_and_the_longest_response(self) -> None:
        short = worst(messages=[{"role": "user", "content": "Hello"}])
        longer = worst(messages=[{"role": "user", "content": "Hello" + "é" * 500}])
        assert short > 100 * Decimal(10) / 1_000_000
        assert longer - short == 1000 * Decimal(2) / 1_000_000

    def test_grows_with_the_longest_response(self) -> None:
        assert worst(max_tokens=1100) - worst(max_tokens=100) == Decimal("0.01")

    def test_counts_what_is_written_to_the_cache_at_its_price(self) -> None:
        text = {"type": "text", "text": "x" * 1_000_000}
        plain, cached, hour = (
            worst(system=[{**text, **more}])
            for more in (
                {},
                {"cache_control": {"type": "ephemeral"}},
                {"cache_control": {"type": "ephemeral", "ttl": "1h"}},
            )
        )
        assert Decimal(2) < plain < Decimal("2.01") < cached < Decimal("2.51")
        assert Decimal(4) < hour < Decimal("4.01")

    def test_counts_an_image_by_its_size_in_the_model_and_not_in_bytes(self) -> None:
        data = base64.b64encode(b"x" * 300_000).decode()
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
        assert Decimal("0.01") < worst(messages=[{"role": "user", "content": [image]}]) < Decimal("0.02")

    @pytest.mark.parametrize(
        ("body", "price"),
        [
            ({"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "url"}}]}]}, "2"),
            ({"messages": [{"role": "user", "content": [{"type": "input_audio", "data": "x"}]}]}, "2"),
            ({"messages": iter([{"role": "user", "content": "Hello"}])}, "2"),
            # The provider writes to its cache between its own turns, unrequested.
            ({"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, "2.5"),
            ({"mcp_servers": [{"type": "url", "url": "x", "name": "x"}]}, "2.5"),
            ({"container": "container_1"}, "2.5"),
            ({"thread": {"type": "continue", "previous_message_id": "msg_1"}}, "2.5"),
        ],
        ids=["document", "audio", "iterator", "server tool", "mcp server", "container", "thread"],
    )
    def test_is_all_that_the_model_takes_in_where_the_request_does_not_show_it(
        self, body: dict[str, Any], price: str
    ) -> None:
        assert worst(KNOWN, inference_geo="global", **body) == Decimal(price) + Decimal("0.001")

    def test_of_a_thread_that_begins_is_that_of_the_request(self) -> None:
        assert worst(thread={"type": "create"}) == worst()

    def test_never_holds_more_than_the_model_takes_in(self) -> None:
        assert worst(KNOWN, system="x" * 3_000_000, inference_geo="global") == Decimal("2.001")

    def test_holds_the_searches_that_it_allows(self) -> None:
        tool = {"type": "web_search_20250305", "name": "web_search"}
        assert worst(tools=[{**tool, "max_uses": 30}]) - worst(tools=[{**tool, "max_uses": 10}]) == Decimal("0.2")
        assert worst(tools=[tool]) - worst(tools=[{**tool, "max_uses": 10}]) == 0

    def test_reads_the_blocks_of_an_earlier_response(self) -> None:
        given = size_of({"messages": [{"role": "assistant", "content": [TextBlock(type="text", text="x" * 1000)]}]})
        assert 1000 < given.tokens < 1200

    def test_is_unknown_for_code_that_is_billed_by_the_hour(self) -> None:
        tools = [{"type": "code_execution_20250825", "name": "code_execution"}]
        with pytest.raises(ConfigurationError, match="code execution"):
            worst(tools=tools)
        assert worst(Prices(cost="0.5").rates(MODEL, provider="anthropic"), tools=tools) == Decimal("0.5")

    @pytest.mark.parametrize("terms", [{"speed": "fast"}, {"inference_geo": "eu"}])
    def test_is_unknown_under_terms_that_have_no_published_price(self, terms: dict[str, str]) -> None:
        with pytest.raises(ConfigurationError, match="price of"):
            worst(KNOWN, **terms)
        assert worst(Prices(cost="0.5").rates(MODEL, provider="anthropic"), **terms) == Decimal("0.5")


class TestTheCost:
    def test_is_that_of_each_kind_of_token(self) -> None:
        usage = {
            "input_tokens": 1000,
            "cache_creation_input_tokens": 700,
            "cache_read_input_tokens": 10_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 200},
            "output_tokens": 300,
            "server_tool_use": {"web_search_requests": 2},
        }
        by_hand = 1000 * 2 + 500 * Decimal("2.5") + 200 * 4 + 10_000 * Decimal("0.1") + 300 * 10
        assert cost(usage) == by_hand / 1_000_000 + 2 * Decimal("0.01")
        assert cost(usage, KNOWN) == cost(usage)

    def test_counts_a_compaction_that_the_sums_leave_out(self) -> None:
        turn = {"type": "message", "input_tokens": 10, "output_tokens": 1}
        compaction = {"type": "compaction", "input_tokens": 500, "output_tokens": 100}
        usage = {"input_tokens": 10, "output_tokens": 1, "iterations": [compaction, turn]}
        assert cost(usage) == (510 * 2 + 101 * 10) / Decimal(1_000_000)

    @pytest.mark.parametrize(
        "usage",
        [
            None,
            {},
            {"input_tokens": 1},
            {"input_tokens": "many", "output_tokens": 1},
            {"input_tokens": -1, "output_tokens": 1},
            {"input_tokens": 1.5, "output_tokens": 1},
            {"input_tokens": True, "output_tokens": 1},
            {"input_tokens": 1, "output_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 5}},
            {"input_tokens": 1, "output_tokens": 1, "iterations": [{"type": "advisor_message"}]},
            {"input_tokens": 1, "output_tokens": 1, "iterations": ["?"]},
        ],
    )
    def test_is_unknown_by_usage_that_cannot_be(self, usage: Any) -> None:
        with pytest.raises(UsageMissingError):
            cost(usage)

    @pytest.mark.parametrize("terms", [{"service_tier": "priority"}, {"speed": "fast"}, {"inference_geo": "eu"}])
    def test_is_unknown_under_terms_that_have_no_published_price(self, terms: dict[str, str]) -> None:
        with pytest.raises(UsageMissingError):
            cost({"input_tokens": 1, "output_tokens": 1, **terms}, KNOWN)

    def test_of_a_legacy_completion_is_never_reported(self) -> None:
        paid = PROVIDER.paid(
            ApiRequest("post", "/v1/complete", {"model": MODEL, "max_tokens_to_sample": 100, "prompt": "Hi"})
        )
        assert paid is not None
        assert Decimal("0.001") < paid.worst(RATES) < Decimal("0.0011")
        with pytest.raises(UsageMissingError):
            paid.cost(RATES, {"completion": "Hello"})


class TestStreams:
    def events(self) -> Iterator[dict[str, Any]]:
        begun = {"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation": None, "output_tokens": 1}
        yield {"type": "message_start", "message": {"model": MODEL, "usage": begun}}
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 'the "usage" of it'}}
        yield {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 20, "input_tokens": None}}
        yield {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 30, "input_tokens": 12}}
        yield {"type": "message_stop"}

    def test_their_sums_are_taken_from_the_first_event_and_the_last(self) -> None:
        meter, known = message(stream=True).meter(), []
        for event in self.events():
            assert not meter.see(json.dumps(event).encode())
            known.append((meter.response is not None, meter.ended))
        assert known == [(True, False), (True, False), (True, False), (True, False), (True, True)]
        assert meter.seen.text == len('the "usage" of it')
        assert meter.response is not None
        assert cost(meter.response["usage"]) == (12 * 2 + 5 * Decimal("0.1") + 30 * 10) / 1_000_000

    @pytest.mark.parametrize(
        "data", [b'"usage"', b'["usage"]', b'{"usage": ', b'{"type": "message_delta", "usage": 3}']
    )
    def test_what_is_no_event_is_passed_by(self, data: bytes) -> None:
        meter = message(stream=True).meter()
        assert not meter.see(data)
        assert (meter.response, meter.ended, meter.seen.anything) == (None, False, False)
