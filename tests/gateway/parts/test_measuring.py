"""The worst case of a request at its upstream, and the largest output limit that fits the granted amount."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance.gateway.contract import Upstream
from aumos_governance.gateway.dialects.anthropic import API as ANTHROPIC
from aumos_governance.gateway.dialects.api import ClientCall, ProviderApi
from aumos_governance.gateway.dialects.google import API as GOOGLE
from aumos_governance.gateway.dialects.openai import API as OPENAI
from aumos_governance.gateway.measuring import Measured, Measuring
from aumos_governance.gateway.refusals import RefusedError
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.pricing.prices import Prices

DOLLAR = 10**9
ONE_A_TOKEN = dict.fromkeys(("input_mtok", "output_mtok", "cache_write_mtok", "cache_write_1h_mtok"), 1000000)
SMALL = 100


def measuring(api: ProviderApi = OPENAI, **fields: Any) -> Measuring:
    given: dict[str, Any] = {
        "name": "school",
        "dialect": "openai",
        "base_url": "http://localhost:8000/v1",
        "key": lambda: None,
        "prices": Prices(price=ONE_A_TOKEN),
    }
    return Measuring(Upstream(**given | fields), api)


def requested(path: str = "/chat/completions", method: str = "POST", **body: Any) -> ApiRequest:
    given = (
        {"model": "mine", "messages": [{"role": "user", "content": "What?"}]} if "chat" in path else {"model": "mine"}
    )
    return ApiRequest(method, path, {**given, **body} if method == "POST" else {})


def measured(by: Measuring, of: ApiRequest, size: int = SMALL) -> Measured:
    found = asyncio.run(by.measure(of, size))
    assert isinstance(found, Measured)
    return found


def fitted(by: Measuring, of: Measured, most: int) -> Measured | None:
    return asyncio.run(by.fitted(of, most, SMALL))


def least(by: Measuring, of: Measured) -> int:
    return asyncio.run(by.least(of, SMALL))


def refused(by: Measuring, of: ApiRequest) -> tuple[int, str]:
    with pytest.raises(RefusedError) as error:
        asyncio.run(by.measure(of, SMALL))
    return error.value.refusal.status, error.value.refusal.code


# ---- limits that fit


@pytest.mark.parametrize("tokens", [256, 257, 300, 743, 998, 999])
@pytest.mark.parametrize("more", [0, 1, DOLLAR - 1])
def test_the_largest_limit_that_fits_is_found(tokens: int, more: int) -> None:
    by = measuring()
    found = measured(by, requested(max_tokens=1_000))
    without = found.worst - 1_000 * DOLLAR
    assert without > 0
    fit = fitted(by, found, without + tokens * DOLLAR + more)
    assert fit is not None
    assert (fit.limited_to, fit.worst) == (tokens, without + tokens * DOLLAR)
    assert fit.call.request.body["max_tokens"] == tokens
    assert fit.paid.worst(by.rates("mine")) == fit.worst // DOLLAR


def test_a_large_limit_is_lowered_to_what_fits() -> None:
    by = measuring()
    found = measured(by, requested(max_tokens=100_000))
    fit = fitted(by, found, found.worst - 50_000 * DOLLAR)
    assert fit is not None
    assert fit.limited_to == 50_000


def test_what_fits_stays_as_it_is_and_what_is_of_no_use_does_not_fit() -> None:
    by = measuring()
    found = measured(by, requested(max_tokens=1_000))
    assert found.limited_to is None
    assert fitted(by, found, found.worst) is found
    without = found.worst - 1_000 * DOLLAR
    assert least(by, found) == without + 256 * DOLLAR
    assert fitted(by, found, without + 256 * DOLLAR - 1) is None


@pytest.mark.parametrize("tokens", [200, 256])
def test_a_low_limit_is_not_lowered(tokens: int) -> None:
    by = measuring()
    found = measured(by, requested(max_tokens=tokens))
    assert least(by, found) == found.worst
    assert fitted(by, found, found.worst - 1) is None


def test_the_lowest_limit_of_the_api_counts() -> None:
    by = measuring()
    found = measured(by, requested("/responses", input="x", max_output_tokens=10))
    assert least(by, found) == found.worst
    long = measured(by, requested("/responses", input="x", max_output_tokens=500))
    assert least(by, long) == long.worst - (500 - 256) * DOLLAR


@pytest.mark.parametrize("budget", [1_024, 255, 256])
def test_a_thinking_budget_leaves_room_for_a_response(budget: int) -> None:
    by = measuring(ANTHROPIC, dialect="anthropic")
    messages = [{"role": "user", "content": "What?"}]
    thinking = {"type": "enabled", "budget_tokens": budget}
    found = measured(
        by,
        requested("/v1/messages", messages=messages, max_tokens=9_000, thinking=thinking),
    )
    limit = by._api.output_limit(found.call.request)
    assert limit is not None
    room = limit.least + 256 if limit.least >= 256 else 256
    assert least(by, found) == found.worst - (9_000 - room) * DOLLAR


def test_a_large_thinking_budget_without_a_limit_is_lowered_to_what_leaves_room() -> None:
    by = measuring(GOOGLE, dialect="google")
    thinking = {"thinkingConfig": {"thinkingBudget": 20_000}}
    found = measured(
        by,
        ApiRequest(
            "POST", "/v1beta/models/gemini-2.5-pro:generateContent", {"contents": [], "generationConfig": thinking}
        ),
    )
    fit = fitted(by, found, least(by, found))
    assert fit is not None
    assert (fit.limited_to, fit.worst) == (20_001 + 256, least(by, found))
    assert fit.worst < found.worst


def test_a_request_without_a_limit_is_lowered_from_what_is_assumed() -> None:
    by = measuring()
    found = measured(by, requested())
    low = measured(by, requested(max_tokens=256))
    assert least(by, found) == low.worst
    fit = fitted(by, found, low.worst + 1_000 * DOLLAR)
    assert fit is not None
    # With so many limits the search ends close to the best one.
    assert 1_200 < (fit.limited_to or 0) <= 1_256
    assert fit.worst <= low.worst + 1_000 * DOLLAR


def test_a_call_without_output_is_held_in_full_or_not_at_all() -> None:
    by = measuring()
    found = measured(by, requested("/embeddings", input="words"))
    assert least(by, found) == found.worst > 0
    assert fitted(by, found, found.worst) is found
    assert fitted(by, found, found.worst - 1) is None


# ---- the administrator's limit


def test_the_administrators_limit_is_for_requests_without_one() -> None:
    by = measuring(output_limit=77)
    none, given = measured(by, requested()), measured(by, requested(max_tokens=1_000))
    assert (none.limited_to, none.call.request.body["max_tokens"]) == (77, 77)
    assert (given.limited_to, given.call.request.body["max_tokens"]) == (None, 1_000)
    assert given.worst - none.worst == (1_000 - 77) * DOLLAR
    assert measured(measuring(output_limit=5), requested("/responses", input="x")).limited_to == 16
    assert measured(by, requested("/embeddings", input="x")).limited_to is None


# ---- what is refused


def test_what_is_free_is_forwarded_and_what_concerns_others_is_not() -> None:
    by = measuring()
    assert isinstance(asyncio.run(by.measure(requested("/models", "GET"), 0)), ClientCall)
    assert refused(by, requested("/files", "GET")) == (400, "METHOD_UNKNOWN")
    assert refused(by, requested("/unheard/of")) == (400, "METHOD_UNKNOWN")


def test_each_model_of_a_request_must_be_allowed() -> None:
    by = measuring(models=("mine", "other*"), denied_models=("other-large",))
    measured(by, requested(models=["other-small"]))
    assert refused(by, requested(models=["other-small", "other-large"])) == (404, "MODEL_NOT_ALLOWED")
    assert refused(by, requested(model="gpt-4o")) == (404, "MODEL_NOT_ALLOWED")


def test_what_has_no_price_or_no_bound_is_refused() -> None:
    assert refused(measuring(prices=Prices()), requested()) == (400, "PRICE_UNKNOWN")
    assert refused(measuring(), requested(n="many"))[0] == 400


def test_a_call_that_could_cost_more_than_any_amount_is_refused() -> None:
    assert refused(measuring(), requested(max_tokens=10**90)) == (400, "INVALID_AMOUNT")


def test_a_fee_is_held_too() -> None:
    by = {fee: measuring(prices=Prices(price=ONE_A_TOKEN, fee=fee)) for fee in (0, 2)}
    plain, dear = (measured(by[fee], requested(max_tokens=5)) for fee in (0, 2))
    assert dear.worst - plain.worst == 2 * DOLLAR


def test_the_seller_that_is_configured_counts_before_the_address() -> None:
    bedrock = "https://bedrock-runtime.us-east-1.amazonaws.com"

    def seller(model: str, base_url: str, provider: str | None) -> str | None:
        return measuring(base_url=base_url, provider=provider, prices=Prices()).rates(model).seller

    assert seller("claude-sonnet-4-5", bedrock, "anthropic") == "anthropic"
    assert seller("anthropic.claude-sonnet-4-5-20250929-v1:0", bedrock, "aws") == "aws"
    assert seller("anthropic.claude-sonnet-4-5-20250929-v1:0", bedrock, None) == "aws"
    assert seller("openai/gpt-oss-20b", "https://api.groq.com/openai/v1", None) == "groq"
    assert seller("gpt-4o", "https://api.groq.com/openai/v1", "openai") == "openai"
    assert seller("openai/gpt-oss-20b", "http://localhost:8000/v1", "groq") == "groq"
    assert seller("gpt-4o", "http://localhost:8000/v1", None) == "openai"


@pytest.mark.parametrize("provider", ["openai", None])
def test_a_region_in_the_address_counts_whether_or_not_the_seller_is_configured(provider: str | None) -> None:
    def input_cost(host: str) -> Decimal:
        by = measuring(base_url=f"https://{host}/v1", provider=provider, prices=Prices())
        return by.rates("gpt-5.4").bound(1_000_000, 0)

    assert input_cost("eu.api.openai.com") == input_cost("api.openai.com") * Decimal("1.1")


# ---- where it is measured


@pytest.mark.parametrize(("size", "in_thread"), [(0, False), (SMALL, False), (262_144, False), (262_145, True)])
def test_a_large_body_keeps_no_other_call_waiting(size: int, in_thread: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    by, threads = measuring(), list[bool]()
    read = by._measure
    monkeypatch.setattr(
        by, "_measure", lambda of: (threads.append(threading.current_thread() is threading.main_thread()), read(of))[1]
    )
    measured(by, requested(), size)
    assert threads == [not in_thread]
