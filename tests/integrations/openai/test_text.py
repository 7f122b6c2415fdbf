"""The body that a text call sends, and the tools that its hold includes, without a client."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.integrations.guarding.calls import ApiRequest, Cost, Paid, UsageMissingError
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.openai.text import CONTEXT_TOKENS
from aumos_governance.integrations.pricing.prices import Prices, Rates
from aumos_governance.integrations.pricing.seen import Seen

STATED = {"input_mtok": 1_000_000, "output_mtok": 2_000_000}
NO_OUTPUT = {"max_tokens": 0}
SEARCHES = {"web_searches_kcount": 10_000, "storage_searches_kcount": 100_000}


def rates(**given: Any) -> Rates:
    return Prices(**given or {"price": STATED}).rates("mine", provider="openai")


def paid(path: str, *, streamed: bool = False, bare: bool = False, **body: Any) -> Paid:
    found = PROVIDER.paid(ApiRequest("post", path, {"model": "mine", **body}, streamed, bare=bare))
    assert found is not None
    return found


def chat(**given: Any) -> Paid:
    return paid("/chat/completions", messages=[], **given)


def swallows(call: Any) -> bool:
    return bool(call.meter().see(b'{"choices": [], "usage": {"prompt_tokens": 1}}'))


@pytest.mark.parametrize("given", [{"streamed": True}, {"stream": True}, {"streamed": True, "stream": True}])
@pytest.mark.parametrize(
    "options", [{}, {"stream_options": {"include_usage": False, "x": 1}}, {"stream_options": None}]
)
def test_a_streams_usage_is_requested_and_the_caller_does_not_see_it(given: Any, options: Any) -> None:
    call = chat(**given, **options)
    assert call.body is not None
    assert call.body["stream_options"] == {**(options.get("stream_options") or {}), "include_usage": True}
    assert {name: call.body[name] for name in ("model", "messages")} == {"model": "mine", "messages": []}
    assert swallows(call)


@pytest.mark.parametrize(
    "given",
    [
        *({}, {"stream": False}, {"stream": 1}, {"streamed": True, "bare": True}, {"stream": True, "bare": True}),
        {"streamed": True, "stream_options": {"include_usage": True}},
    ],
)
def test_any_other_request_goes_out_as_it_is(given: Any) -> None:
    call = chat(**given)
    assert call.body is None
    assert not swallows(call)


@pytest.mark.parametrize(("model", "hidden"), [("gpt-4o", False), ("gpt-5", True), ("mine", True)])
@pytest.mark.parametrize("path", ["/chat/completions", "/responses"])
def test_a_meter_knows_whether_a_model_may_hide_output(path: str, model: str, hidden: bool) -> None:
    call: Any = paid(path, model=model)
    assert call.meter().seen.hidden is hidden


@pytest.mark.parametrize(
    ("store", "chats", "responses"), [(None, False, True), (True, True, True), (False, False, False)]
)
def test_what_the_provider_stores_can_be_retrieved(store: Any, chats: bool, responses: bool) -> None:
    given = {} if store is None else {"store": store}
    requested: Any = paid("/chat/completions", **given), paid("/responses", **given)
    assert [call.retrievable for call in requested] == [chats, responses]


@pytest.mark.parametrize("kind", ["web_search", "web_search_preview", "web_search_2025_08_26"])
@pytest.mark.parametrize("made", [dict, SimpleNamespace])
def test_every_version_of_a_web_search_is_held_for(kind: str, made: Any) -> None:
    dear, free = rates(price={**STATED, **SEARCHES}), rates(price={**STATED, "web_searches_kcount": 0})
    call = paid("/responses", input="x", tools=(made(type=kind),), max_output_tokens=5)
    assert call.worst(dear) - call.worst(free) == 10 * 10
    # A fee that is stated for each call replaces only a price that is not known.
    assert call.worst(rates(price={**STATED, **SEARCHES}, fee=1)) == call.worst(dear)
    three = paid("/responses", input="x", tools=[made(type=kind)], max_output_tokens=5, max_tool_calls=3)
    assert three.worst(dear) - three.worst(free) == 3 * 10


def test_a_search_in_files_is_held_for() -> None:
    dear, free = rates(price={**STATED, **SEARCHES}), rates(price={**STATED, "storage_searches_kcount": 0})
    call = paid("/responses", input="x", tools=[{"type": "file_search"}], max_output_tokens=5)
    assert call.worst(dear) - call.worst(free) == 10 * 100


@pytest.mark.parametrize("path", ["/chat/completions", "/responses"])
def test_a_hosted_tool_needs_a_fee(path: str) -> None:
    call = paid(path, tools=[{"type": "code_interpreter"}])
    with pytest.raises(ConfigurationError, match=r"code_interpreter.*fee="):
        call.worst(rates())
    assert call.worst(rates(price=STATED, fee=1)) > 0
    assert call.worst(rates(cost=7)) == 7


@pytest.mark.parametrize("kind", ["function", "custom"])
@pytest.mark.parametrize("path", ["/chat/completions", "/responses"])
def test_a_tool_of_the_caller_s_needs_none(path: str, kind: str) -> None:
    assert paid(path, tools=[{"type": kind}, {"name": "x"}][: 2 if "chat" in path else 1]).worst(rates()) > 0


def test_a_search_without_a_price_is_refused_unless_a_fee_is_stated() -> None:
    call = paid("/responses", input="x", tools=[{"type": "web_search"}], max_output_tokens=5)
    with pytest.raises(ConfigurationError, match="web_searches_kcount"):
        call.worst(rates())
    assert call.worst(rates(price=STATED, fee=1)) == call.worst(rates(price={**STATED, "web_searches_kcount": 0}))


@pytest.mark.parametrize("tool", ["web_search", "file_search"])
def test_a_search_without_a_price_is_refused_whatever_the_limit_of_tool_calls(tool: str) -> None:
    call = paid("/responses", input="x", tools=[{"type": tool}], max_output_tokens=5, max_tool_calls=0)
    with pytest.raises(ConfigurationError, match="searches_kcount"):
        call.worst(rates())
    assert call.worst(rates(price={**STATED, **SEARCHES})) > 0


def test_a_flat_cost_is_that_of_a_call_with_searches_too() -> None:
    tools = [{"type": "web_search"}, {"type": "file_search"}]
    assert paid("/responses", input="x", tools=tools).worst(rates(cost=7)) == 7
    assert chat(web_search_options={}).worst(rates(cost=7)) == 7


def test_a_search_is_refused_whose_price_the_stated_prices_make_unusable() -> None:
    # The price of sound contradicts the list of prices, which has none of the whole output.
    stated = rates(price={"input_mtok": 1, "web_searches_kcount": 10, "output_audio_mtok": 5})
    with pytest.raises(ConfigurationError, match="web_searches_kcount"):
        paid("/responses", tools=[{"type": "web_search"}], max_output_tokens=0).worst(stated)


def test_a_chat_that_searches_is_held_for_one_search() -> None:
    dear, free = rates(price={**STATED, **SEARCHES}), rates(price={**STATED, "web_searches_kcount": 0})
    call = chat(web_search_options={}, max_tokens=5)
    assert call.worst(dear) - call.worst(free) == Decimal(10)


@pytest.mark.parametrize(
    ("base_url", "fee", "priced"),
    [("https://openrouter.ai/api/v1", Decimal("0.05"), Decimal("0.05")), ("https://api.perplexity.ai", 0, 30 * 10)],
)
def test_a_chat_that_searches_is_held_for_by_the_rules_of_its_seller(base_url: str, fee: Any, priced: Any) -> None:
    # OpenRouter has a fee of its own. Perplexity's is part of each request's price, or one for each search.
    free, dear = (
        Prices(price={"input_mtok": 0, "output_mtok": 0, **more}).rates("mine", provider="openai", base_url=base_url)
        for more in ({}, SEARCHES)
    )
    call = chat(web_search_options={}, max_tokens=5)
    assert (call.worst(free), call.worst(dear)) == (fee, priced)


def test_a_deep_research_is_held_for_its_searches_citations_and_reasoning() -> None:
    found = Prices().rates("sonar-deep-research", provider="openai", base_url="https://api.perplexity.ai")
    window = found.context_window or CONTEXT_TOKENS
    held = chat(model="sonar-deep-research", max_tokens=500).worst(found)
    assert held == 30 * Decimal("0.005") + found.bound(window, 500 + window)
    # The example of Perplexity's documentation, with more reasoning than output.
    usage = {"prompt_tokens": 33, "completion_tokens": 500, "citation_tokens": 20_016, "reasoning_tokens": 73_997}
    response = {"choices": [], "usage": {**usage, "num_search_queries": 18, "total_tokens": 533}}
    cost = chat(model="sonar-deep-research", max_tokens=500).cost(found, response).usd
    assert held > cost > Decimal("0.35")


def test_a_stated_cost_covers_a_deep_research() -> None:
    found = Prices(cost=1).rates("sonar-deep-research", provider="openai", base_url="https://api.perplexity.ai")
    assert chat(model="sonar-deep-research").worst(found) == 1


@pytest.mark.parametrize(("model", "window", "output"), [("gpt-4", 8_192, 8_192), ("gpt-4o", 128_000, 16_384)])
def test_without_a_limit_no_more_output_is_held_for_than_the_window_has(model: str, window: int, output: int) -> None:
    found = Prices().rates(model, provider="openai")
    assert found.context_window == window
    unlimited, limited = (chat(model=model, service_tier="default", **limit).worst(found) for limit in ({}, NO_OUTPUT))
    assert unlimited + found.bound(len("max_tokens") + 6 + 20, 0) - limited == found.bound(0, output)


# ---- what a response costs

USAGE = {"input_tokens": 10, "output_tokens": 5}


def search(kind: str = "web_search_call", **action: Any) -> dict[str, Any]:
    return {"type": kind, "action": {"type": "search", **action}}


def test_each_search_of_a_response_costs_its_fee() -> None:
    call, priced = paid("/responses", input="x"), rates(price={**STATED, **SEARCHES})
    found = [search(), {"type": "message"}, search("file_search_call"), search()]
    plain = call.cost(priced, {"model": "mine", "usage": USAGE, "output": []})
    assert plain.usd == 20
    assert call.cost(priced, {"model": "mine", "usage": USAGE}) == plain
    assert call.cost(priced, {"model": "mine", "usage": USAGE, "output": None}) == plain
    assert call.cost(priced, {"model": "mine", "usage": USAGE, "output": found}).usd == 20 + 2 * 10 + 100


@pytest.mark.parametrize("tier", ["default", "auto", "unheard-of", "", None, 5, ["priority"], {"priority": True}])
def test_a_response_of_no_known_tier_has_the_list_price(tier: Any) -> None:
    found = Prices().rates("gpt-5", provider="openai")
    tokens = {"prompt_tokens": 10, "completion_tokens": 5}
    expected = found.cost({"input_tokens": 10, "output_tokens": 5})
    for path, usage in (("/chat/completions", tokens), ("/responses", USAGE)):
        assert paid(path, model="gpt-5").cost(found, {"usage": usage, "service_tier": tier}).usd == expected


def test_a_stream_of_a_response_that_broke_off_costs_what_was_seen_of_it() -> None:
    call = paid("/responses", input="x", max_output_tokens=50)
    most = call.worst(rates())
    shown = call.cost(rates(), {}, Seen(text=3, hidden=False))
    assert shown.estimated
    assert shown.usd == most - 2 * 47
    assert call.cost(rates(), {}, Seen(text=3, hidden=True)).usd == most
    # The event that ends a stream has the whole response, however little was seen of it before.
    whole = {"usage": USAGE, "output": [search()]}
    assert call.cost(rates(price={**STATED, **SEARCHES}), whole, Seen(text=3)) == Cost(Decimal(20 + 10))
    for seen in (None, Seen(text=3, whole=True)):
        with pytest.raises(UsageMissingError):
            call.cost(rates(), {}, seen)


@pytest.mark.parametrize(("path", "field"), [("/chat/completions", "messages"), ("/responses", "input")])
@pytest.mark.parametrize(
    ("part", "key"),
    [
        ({"type": "input_audio", "input_audio": {"data": "AA"}}, "input_audio_mtok"),
        ({"type": "video_url", "video_url": {"url": "x"}}, "input_video_mtok"),
    ],
)
def test_an_input_whose_kind_has_no_price_is_refused(path: str, field: str, part: Any, key: str) -> None:
    call = paid(path, **{field: [{"role": "user", "content": [part]}], "max_tokens": 5, "max_output_tokens": 5})
    with pytest.raises(ConfigurationError, match=key):
        call.worst(rates())
    assert call.worst(rates(price={**STATED, key: 1_000_000})) > 0


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings", "/responses"])
@pytest.mark.parametrize("named", [{}, {"model": None}, {"model": ""}])
def test_a_call_of_no_model_is_one_of_a_model_that_is_not_known(path: str, named: dict[str, Any]) -> None:
    found = PROVIDER.paid(ApiRequest("post", path, named))
    assert found is not None
    assert found.model == "unknown"
