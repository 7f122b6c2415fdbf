"""The counts of usage reports are compared with each other, and with what visibly arrived."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI

from aumos_governance.integrations.guarding.calls import ApiRequest, UsageMissingError
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.integrations.pricing.rates import Rates, UnusableUsageError
from aumos_governance.integrations.pricing.seen import Seen
from aumos_governance.integrations.pricing.usage import (
    BYTES_A_TOKEN,
    DoubtError,
    Report,
    checked,
    least_tokens,
    weight,
)
from tests.integrations.chats import Run, chat_async
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced

MESSAGES: Any = [{"role": "user", "content": "hello"}]
TEXT = "The answer is forty-two."
SEEN = Seen(text=len(TEXT), whole=True)


@pytest.mark.parametrize(
    ("counts", "total", "output", "estimated"),
    [
        ({"input_tokens": 10, "output_tokens": 20}, 30, 20, False),
        ({"input_tokens": 10, "output_tokens": 20}, None, 20, False),
        ({"input_tokens": 10, "output_tokens": 20}, 430, 420, True),
        ({"input_tokens": 10}, 510, 500, True),
        ({"output_tokens": 20}, 30, 20, True),
        ({"input_tokens": 10, "output_tokens": 20}, 12, 20, True),
        ({"input_tokens": 10, "output_tokens": 9, "output_reasoning_tokens": 400}, 419, 409, False),
        ({"input_tokens": 10, "output_tokens": 9, "output_reasoning_tokens": 400}, 19, 409, True),
        ({"input_tokens": 10, "output_tokens": 9, "output_reasoning_tokens": 400}, None, 409, True),
        ({"input_tokens": 10, "output_tokens": 9, "output_reasoning_tokens": 8}, None, 17, True),
    ],
)
def test_what_the_counts_leave_in_doubt_is_output(
    counts: dict[str, int], total: int | None, output: int, estimated: bool
) -> None:
    used, doubtful = checked(Report(dict(counts), total), SEEN)
    assert (used["input_tokens"], used["output_tokens"], doubtful) == (10, output, estimated)


def test_a_part_that_the_total_finds_within_the_output_is_not_added_twice() -> None:
    counts = {"input_tokens": 10, "output_tokens": 50 + 20, "output_reasoning_tokens": 20}
    assert checked(Report(counts, 60, beside=20), SEEN) == ({**counts, "output_tokens": 50}, False)


@pytest.mark.parametrize(
    "report",
    [
        Report({}),
        Report({"input_tokens": 0, "output_tokens": 0}, 0),
        Report({"input_tokens": 10, "output_tokens": 0}, 10),
        Report({"input_tokens": 10}),
        Report({"input_tokens": 10}, 10),
        Report({"input_tokens": 0, "output_tokens": 20}, 20),
        Report({"input_tokens": 10, "output_tokens": 1}, 11),
        Report({"input_tokens": 10, "output_tokens": 20, "cache_read_tokens": 11}, 30),
        Report({"input_tokens": 10, "output_tokens": 20, "cache_read_tokens": 6, "cache_write_tokens": 6}, 30),
        Report({"input_tokens": 10, "output_tokens": 20, "input_audio_tokens": 11}, 30),
        Report({"input_tokens": 10, "output_tokens": 20}, 30, unpriced=("num_searches",)),
    ],
    ids=lambda report: str(report.counts),
)
def test_what_stays_open_is_doubt(report: Report) -> None:
    with pytest.raises(DoubtError):
        checked(report, SEEN)


def test_a_response_that_shows_nothing_may_have_no_output() -> None:
    assert checked(Report({"input_tokens": 10, "output_tokens": 0}, 10), Seen(whole=True))[1] is False


@pytest.mark.parametrize("run", [" " * 128, "-" * 128, "=" * 400])
def test_a_run_of_one_character_may_be_one_token(run: str) -> None:
    text = "word " * 60 + run * 4
    assert weight(text) < len(text)
    assert weight(run * 4) <= BYTES_A_TOKEN * 4 * -(-len(run) // 128)


ZEROS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
DOUBTFUL: dict[str, Any] = {
    "zeros": ZEROS,
    "no input": {"completion_tokens": 5, "total_tokens": 5},
    "no output": {"prompt_tokens": 5},
    "one token": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
    "text": {"prompt_tokens": "5", "completion_tokens": 6},
    "searches": {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14, "num_search_queries": 3},
    "citations": {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14, "citation_tokens": 300},
    "sound": {"prompt_tokens": 50, "completion_tokens": 9, "prompt_tokens_details": {"audio_tokens": 40}},
    "more cached": {"prompt_tokens": 5, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 50}},
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("usage", DOUBTFUL)
def test_a_doubtful_report_is_charged_as_held(
    client: OpenAI, till: Till, endpoint: Endpoint, usage: str, streamed: bool
) -> None:
    endpoint.default = Reply(usage=DOUBTFUL[usage])
    response = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=100, stream=streamed)
    if streamed:
        list(response)
    assert till.events() == ["hold", "estimated"]
    held, settled = till.records()
    assert settled.amount == held.amount


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_what_only_the_total_has_is_output_and_an_estimate(
    client: OpenAI, till: Till, endpoint: Endpoint, streamed: bool
) -> None:
    endpoint.default = Reply(usage={"prompt_tokens": 10, "total_tokens": 510})
    response = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=2000, stream=streamed)
    if streamed:
        list(response)
    assert till.spent == priced("gpt-4o", {"input_tokens": 10, "output_tokens": 500})
    assert till.events() == ["hold", "estimated"]


def test_awaited_calls_are_looked_at_as_well(run: Run[Any], till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage={"prompt_tokens": 10, "total_tokens": 510})

    async def both(client: AsyncOpenAI) -> None:
        await chat_async(client)
        async for _ in await chat_async(client, stream=True):
            pass

    run(both)
    assert till.spent == 2 * priced("gpt-4o", {"input_tokens": 10, "output_tokens": 500})
    assert sorted(till.events()) == ["estimated"] * 2 + ["hold"] * 2


def test_responses_of_zeros_are_charged_as_held(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage={"input_tokens": 0, "output_tokens": 0, "total_tokens": 0})
    client.responses.create(model="gpt-4o", input="hello", max_output_tokens=100)
    list(client.responses.create(model="gpt-4o", input="hello", max_output_tokens=100, stream=True))
    assert till.events() == ["hold", "estimated"] * 2


def test_a_response_longer_than_was_held_for_is_charged_for_what_is_visible(
    client: OpenAI, till: Till, endpoint: Endpoint
) -> None:
    endpoint.default = Reply(text="word " * 40_000, usage=ZEROS)
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=10)
    assert till.spent == priced("gpt-4o", {"output_tokens": 200_000 // BYTES_A_TOKEN})
    assert till.events() == ["hold", "estimated"]


# ---- for any report

RATES = Prices(price={"input_mtok": 1, "output_mtok": 2}).rates("mine", provider="openai")
COUNT = st.one_of(st.none(), st.integers(0, 5_000), st.just(0))
USAGE = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": COUNT,
        "completion_tokens": COUNT,
        "total_tokens": COUNT,
        "reasoning_tokens": COUNT,
        "num_search_queries": COUNT,
        "prompt_tokens_details": st.fixed_dictionaries({}, optional={"cached_tokens": COUNT, "audio_tokens": COUNT}),
        "completion_tokens_details": st.fixed_dictionaries({}, optional={"reasoning_tokens": COUNT}),
    },
)


def _charged(rates: Rates, usage: Any, text: str, streamed: bool) -> tuple[Decimal, bool, Decimal]:
    """The charged amount, whether it is an estimate, and the held amount."""
    body = {"model": "mine", "messages": MESSAGES, "max_tokens": 4_000, "stream": streamed}
    paid = PROVIDER.paid(ApiRequest("post", "/chat/completions", body, streamed))
    assert paid is not None
    held = paid.worst(rates)
    try:
        if streamed:
            meter = paid.meter()
            meter.see(json.dumps({"choices": [{"delta": {"content": text}}]}).encode())
            meter.see(json.dumps({"choices": [], "usage": usage}).encode())
            meter.seen.whole = True
            cost = paid.cost(rates, meter.response or {}, meter.seen)
        else:
            cost = paid.cost(rates, {"usage": usage, "choices": [{"message": {"content": text}}]})
    except (UsageMissingError, UnusableUsageError):
        return held, True, held
    return cost.usd, cost.estimated, held


@settings(deadline=None, max_examples=500)
@given(USAGE, st.text(max_size=300), st.booleans())
def test_no_report_makes_a_call_cheaper_than_what_is_visible(usage: Any, text: str, streamed: bool) -> None:
    charged, estimated, held = _charged(RATES, usage, text, streamed)
    least = least_tokens(Seen(text=weight(text)))
    assert charged >= RATES.cost({"output_tokens": least})
    into, out = usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0
    if charged > held and not estimated:
        # More than was held is charged only where all counts say so.
        assert charged <= RATES.cost({"input_tokens": into, "output_tokens": out + max(0, _reasoning(usage))})
    if not usage:
        assert (charged, estimated) == (held, True)


def _reasoning(usage: Any) -> int:
    return (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
