"""The cost of a call of OpenAI's APIs by its usage, and the holds for its searches, without a client."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.integrations.guarding.calls import ApiRequest, Cost, Paid, UsageMissingError
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.openai.usage import broken, extras_of, require_kinds, used_of
from aumos_governance.integrations.pricing.prices import Prices, Rates
from aumos_governance.integrations.pricing.seen import Seen
from aumos_governance.integrations.pricing.sizes import Size
from aumos_governance.integrations.pricing.usage import Report

OPENROUTER = "https://openrouter.ai/api/v1"
XAI = "https://api.x.ai/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai/"
STATED = {"input_mtok": 1_000_000, "output_mtok": 2_000_000}
"""One dollar for a token of input, two for one of output."""
SEARCHES = {"web_searches_kcount": 10_000, "storage_searches_kcount": 100_000}
"""Ten dollars for a search, a hundred for one in stored files."""


def rates(model: str = "mine", base_url: str = "", **prices: Any) -> Rates:
    return Prices(**prices or {"price": STATED}).rates(model, provider="openai", base_url=base_url)


def paid(path: str, **body: Any) -> Paid:
    found = PROVIDER.paid(ApiRequest("post", path, {"model": "mine", **body}))
    assert found is not None
    return found


def usage(into: int, out: int, **more: Any) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out, **more}}


# ---- extras


def extras(requested: dict[str, Any], found: Rates) -> tuple[Decimal, bool]:
    size = Size()
    fees = extras_of(requested, found, size)
    return fees, size.unseen


def web(most: Any = None) -> dict[str, Any]:
    return {"id": "web"} if most is None else {"id": "web", "max_results": most}


@pytest.mark.parametrize(
    ("requested", "fees"),
    [
        ({"plugins": [web()]}, "0.05"),
        ({"plugins": [web(1)]}, "0.05"),
        ({"plugins": [web(20)]}, "0.08"),
        ({"plugins": [web(0)]}, "0.05"),
        ({"plugins": [web(-20)]}, "0.05"),
        ({"plugins": [{"id": "web", "max_results": True}]}, "0.05"),
        ({"plugins": [web("20")]}, "0.05"),
        ({"plugins": [web(20), web(30)]}, "0.2"),
        ({"plugins": [{"id": "file-parser"}, web(20)]}, "0.08"),
        ({"plugins": ["web", web(20)]}, "0.08"),
        ({"web_search_options": {}}, "0.05"),
        ({"web_search_options": {}, "plugins": [web(20)]}, "0.08"),
    ],
    ids=str,
)
def test_a_search_at_openrouter_is_held_for_by_its_results(requested: dict[str, Any], fees: str) -> None:
    assert extras(requested, rates("openai/gpt-4o", OPENROUTER)) == (Decimal(fees), True)


@pytest.mark.parametrize(
    "requested",
    [{}, {"plugins": []}, {"plugins": [{"id": "file-parser"}]}, {"plugins": "web"}, {"plugins": {"id": "web"}}],
)
def test_what_is_no_search_at_openrouter_costs_nothing_more(requested: dict[str, Any]) -> None:
    assert extras(requested, rates("openai/gpt-4o", OPENROUTER)) == (0, False)


def test_a_model_that_always_searches_is_held_for_a_search() -> None:
    online = rates("openai/gpt-4o:online", OPENROUTER)
    assert online.searches
    assert extras({}, online) == (Decimal("0.05"), True)
    assert extras({"plugins": [web(20)]}, online) == (Decimal("0.08"), True)


@pytest.mark.parametrize(
    ("parameters", "fees", "unseen"),
    [
        ({}, "0.5", True),
        ({"mode": "on"}, "0.5", True),
        ({"mode": "off"}, "0", False),
        ({"max_search_results": 4}, "0.1", True),
        ({"max_search_results": True}, "0.5", True),
        (None, "0", False),
        ("on", "0", False),
    ],
    ids=str,
)
def test_a_live_search_at_xai_is_held_for_by_its_sources(parameters: Any, fees: str, unseen: bool) -> None:
    found = rates("grok-3-mini", XAI)
    assert extras({"search_parameters": parameters}, found) == (Decimal(fees), unseen)


def test_extras_of_one_seller_are_none_at_another() -> None:
    requested = {"plugins": [web(20)], "search_parameters": {}, "web_search_options": {}}
    assert extras(requested, rates()) == (0, False)
    assert extras({"plugins": [web(20)]}, rates("grok-3-mini", XAI)) == (0, False)
    assert extras({"search_parameters": {}}, rates("openai/gpt-4o", OPENROUTER)) == (0, False)


def test_a_flat_cost_has_no_extras() -> None:
    assert extras({"plugins": [web(20)]}, rates("openai/gpt-4o", OPENROUTER, cost=1)) == (0, False)
    # Nor has a cost that is assumed for a model without a known price.
    assumed = rates("unheard-of/model", OPENROUTER, default_cost=1)
    assert assumed.seller == "openrouter"
    assert extras({"plugins": [web(20)]}, assumed) == (0, False)


def test_what_a_search_finds_is_held_for_at_the_window() -> None:
    found = rates("openai/gpt-4o", OPENROUTER)
    requested = {"model": "openai/gpt-4o", "messages": [], "max_tokens": 1}
    plain, searching = paid("/chat/completions", **requested), paid("/chat/completions", **requested, plugins=[web(20)])
    assert searching.worst(found) > plain.worst(found) + Decimal("0.08") + 100_000 * Decimal("2.5") / 10**6


def test_the_dearest_model_that_openrouter_may_fall_back_on_is_held_for() -> None:
    dear = {"input_mtok": 1_000_000, "output_mtok": 9_000_000}

    def worst(base_url: str, models: Any) -> Decimal:
        found = rates("mine", base_url, price={"mine": STATED, "dear": dear})
        return paid("/chat/completions", messages=[], max_tokens=100, models=models).worst(found)

    assert worst(OPENROUTER, ["mine", "dear"]) - worst(OPENROUTER, ["mine", "mine"]) == 7 * 100
    assert worst(OPENROUTER, ("dear", "mine")) == worst(OPENROUTER, ["mine", "dear"])
    assert worst(OPENROUTER, "dear") == worst(OPENROUTER, "mine")
    # To all others the field means nothing.
    assert worst("", ["mine", "dear"]) == worst("", ["mine", "mine"])
    with pytest.raises(ConfigurationError):
        worst(OPENROUTER, ["unheard-of"])


# ---- what has a price of its own


@pytest.mark.parametrize(
    ("inputs", "outputs", "missing"),
    [
        (["audio"], [], "input_audio_mtok"),
        (["image"], [], None),
        (["video"], [], "input_video_mtok"),
        ([], ["image"], "output_image_mtok"),
        ([], ["audio"], "output_audio_mtok"),
        ([], [], None),
    ],
)
def test_what_has_no_price_of_its_own_is_refused(inputs: list[str], outputs: list[str], missing: str | None) -> None:
    require_kinds(rates(cost=1), inputs, outputs)
    if missing is None:
        require_kinds(rates(), inputs, outputs)
        return
    require_kinds(rates(price={**STATED, missing: 5}), inputs, outputs)
    with pytest.raises(ConfigurationError, match=missing):
        require_kinds(rates(), inputs, outputs)


def test_google_has_one_price_for_text_image_and_video() -> None:
    found = rates("gemini-2.5-flash", GOOGLE, price={"gemini-2.5-flash": STATED})
    assert found.seller == "google"
    require_kinds(found, ["video"], [])
    with pytest.raises(ConfigurationError, match="output_video_mtok"):
        require_kinds(found, ["video"], ["video"])


@pytest.mark.parametrize(
    ("part", "field", "key"),
    [
        ("prompt_tokens_details", "audio_tokens", "input_audio_mtok"),
        ("completion_tokens_details", "audio_tokens", "output_audio_mtok"),
        ("completion_tokens_details", "image_tokens", "output_image_mtok"),
    ],
)
def test_counts_that_have_no_price_are_charged_as_held(part: str, field: str, key: str) -> None:
    response = usage(10, 20, **{part: {field: 5}})
    with pytest.raises(UsageMissingError, match="no price") as raised:
        used_of(rates(), response, "chat", Seen(text=33, whole=True))
    assert raised.value.least == 3 * 2
    used_of(rates(price={**STATED, key: 5}), response, "chat", None)
    used_of(rates(), usage(10, 20, **{part: {field: 0}}), "chat", None)


@pytest.mark.parametrize(("seen", "least"), [(None, 0), (Seen(), 0), (Seen(text=1), 2), (Seen(text=160), 20)])
@pytest.mark.parametrize("response", [{}, {"usage": None}, {"usage": {"prompt_tokens": "5"}}, usage(0, 0)])
def test_a_doubt_is_charged_at_least_what_is_visible(response: dict[str, Any], seen: Seen | None, least: int) -> None:
    with pytest.raises(UsageMissingError) as raised:
        used_of(rates(), response, "chat", seen)
    assert raised.value.least == least


def test_what_has_no_price_for_output_has_no_least() -> None:
    with pytest.raises(UsageMissingError) as raised:
        used_of(rates(price={"input_mtok": 1}), {}, "chat", Seen(text=160))
    assert raised.value.least == 0


# ---- searches


@pytest.mark.parametrize(
    ("more", "model", "cost"),
    [
        ({}, "mine", 10 + 40),
        ({"web_search_options": {}}, "mine", 10 + 40 + 10),
        ({}, "gpt-4o-search-preview", 10 + 40 + 10),
    ],
)
def test_a_chat_that_searches_is_charged_for_one_search(more: dict[str, Any], model: str, cost: int) -> None:
    call = paid("/chat/completions", messages=[], **more | {"model": model})
    found = rates(model, price={**STATED, **SEARCHES})
    assert call.cost(found, usage(10, 20)) == Cost(Decimal(cost))


def test_a_chat_is_charged_for_the_searches_that_its_seller_counts() -> None:
    call = paid("/chat/completions", messages=[], web_search_options={})
    found = rates(price={**STATED, **SEARCHES})

    class Counting:
        def report(self, _: Any) -> Any:
            return Report({"input_tokens": 10, "output_tokens": 20, "web_searches": 3})

    found._usage_paths = lambda _: Counting()  # type: ignore[assignment, return-value]
    assert call.cost(found, usage(10, 20)) == Cost(Decimal(10 + 40 + 30))


@pytest.mark.parametrize(
    ("output", "cost"),
    [
        (None, 0),
        ([], 0),
        ([{"type": "message"}, "text"], 0),
        ([{"type": "web_search_call"}], 10),
        ([{"type": "web_search_call", "action": {"type": "search"}}] * 2, 20),
        ([{"type": "web_search_call", "action": {}}], 10),
        ([{"type": "web_search_call", "action": {"type": "open_page"}}], 0),
        ([{"type": "file_search_call"}], 100),
        ([{"type": "file_search_call"}, {"type": "web_search_call"}, {"type": "file_search_call"}], 210),
    ],
    ids=str,
)
def test_a_response_is_charged_for_each_search_that_it_shows(output: Any, cost: int) -> None:
    response = {"usage": {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}, "output": output}
    call = paid("/responses", input="x")
    assert call.cost(rates(price={**STATED, **SEARCHES}), response) == Cost(Decimal(10 + 40 + cost))


# ---- responses that broke off


@pytest.mark.parametrize(
    ("seen", "output"),
    [
        (Seen(hidden=False), 0),
        (Seen(text=30, hidden=False), 30),
        (Seen(text=10, tools=20, hidden=False), 30),
        (Seen(text=30, reasoning=20, hidden=False), 50),
        (Seen(text=300, hidden=False), 100),
        (Seen(text=30, hidden=True), 100),
        (Seen(text=30, reasoning=20, hidden=True), 50),
        (Seen(text=30, media=7, hidden=False), 100),
    ],
    ids=str,
)
def test_what_broke_off_is_charged_by_what_was_seen_of_it(seen: Seen, output: int) -> None:
    cost = broken(rates(), {}, seen, "chat", lambda tokens: Decimal(1_000 + tokens), 100)
    assert cost == Cost(Decimal(1_000 + output), estimated=True)


def test_what_broke_off_after_its_report_is_charged_by_that_as_an_estimate() -> None:
    cost = broken(rates(), usage(10, 20), Seen(text=30), "chat", lambda _: Decimal(1_000), 100)
    assert cost == Cost(Decimal(10 + 40), estimated=True)


def test_a_chat_that_broke_off_is_bounded_by_its_own_limit() -> None:
    call = paid("/chat/completions", messages=[], max_tokens=100)
    assert call.cost(rates(), {}, Seen(text=5, hidden=False)).usd == call.worst(rates()) - 2 * 95
    assert call.cost(rates(), {}, Seen(text=5, hidden=True)).usd == call.worst(rates())
    response = paid("/responses", input="x", max_output_tokens=100)
    assert response.cost(rates(), {}, Seen(text=5, hidden=False)).usd == response.worst(rates()) - 2 * 95
    assert response.cost(rates(), {}, Seen(text=5, hidden=True)).usd == response.worst(rates())
