"""The holds of OpenAI's text calls: each term of the bound, at 1 and 2 USD per million tokens of input and output."""

from __future__ import annotations

from collections import UserList
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.openai.text import OUTPUT_TOKENS
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.integrations.pricing.sizes import size_of

MESSAGES: Any = [{"role": "user", "content": "What is six times seven?"}]
CONTEXT_TOKENS = 200_000
CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS = "/chat/completions", "/responses", "/completions", "/embeddings"


def worst(path: str, **body: Any) -> Decimal:
    """The worst case in millionths of a dollar: one for each token of input, two for each token of output."""
    paid = PROVIDER.paid(ApiRequest("post", path, {"model": "mine", **body}))
    assert paid is not None
    prices = Prices(price={"input_mtok": 1, "output_mtok": 2})
    return paid.worst(prices.rates("mine", provider="openai")) * 1_000_000


def chat(**body: Any) -> Decimal:
    return worst(CHAT, **{"messages": MESSAGES, "max_tokens": 50} | body)


# ---- output


@pytest.mark.parametrize("n", [2, 3, 7])
def test_each_choice_may_be_as_long_as_the_limit(n: int) -> None:
    assert chat(n=n) - chat(n=1) == 2 * 50 * (n - 1)


@pytest.mark.parametrize("n", [0, -1, None, True, "3"])
def test_what_is_no_number_of_choices_is_one(n: Any) -> None:
    assert chat(n=n) - size_of(n).tokens == chat(n=1) - size_of(1).tokens


@pytest.mark.parametrize(("name", "limit"), [("max_tokens", 70), ("max_completion_tokens", 70), ("max_tokens", 0)])
def test_a_stated_limit_is_what_is_held_for(name: str, limit: int) -> None:
    base = worst(CHAT, messages=MESSAGES, **{name: 1})
    assert worst(CHAT, messages=MESSAGES, **{name: limit}) - base == 2 * (limit - 1)


def test_the_limit_of_all_output_goes_before_that_of_the_words() -> None:
    assert chat(max_completion_tokens=70) - chat(max_completion_tokens=50) == 2 * 20


@pytest.mark.parametrize("limit", [-1, True, "50", None])
def test_what_is_no_limit_is_none(limit: Any) -> None:
    unlimited = 2 * OUTPUT_TOKENS - size_of(1).tokens + size_of(limit).tokens
    assert chat(max_tokens=limit) - chat(max_tokens=1) == unlimited - 2


def test_what_was_predicted_is_held_for_as_output() -> None:
    prediction = {"type": "content", "content": "forty-two " * 20}
    assert chat(prediction=prediction) - chat() == 2 * size_of(prediction).tokens


@pytest.mark.parametrize("prompt", ["abc", ["abc"], [1, 2, 3], [[1, 2, 3]]])
def test_a_completion_without_a_limit_has_16_tokens(prompt: Any) -> None:
    unlimited = worst(COMPLETIONS, prompt=prompt)
    assert unlimited == worst(COMPLETIONS, prompt=prompt, max_tokens=16)
    assert worst(COMPLETIONS, prompt=prompt, max_tokens=20) - unlimited == 2 * 4


@pytest.mark.parametrize(("n", "best_of", "times"), [(3, 1, 3), (1, 4, 4), (2, 5, 5), (5, 2, 5), (None, None, 1)])
def test_a_completion_is_made_as_often_as_the_larger_number_says(n: Any, best_of: Any, times: int) -> None:
    base = worst(COMPLETIONS, prompt="abc", max_tokens=10)
    assert worst(COMPLETIONS, prompt="abc", max_tokens=10, n=n, best_of=best_of) - base == 2 * 10 * (times - 1)


@pytest.mark.parametrize(
    ("prompt", "times"), [(["a", "b", "c"], 3), ([[1], [2]], 2), ([1, 2, 3], 1), ("abc", 1), ([], 1)]
)
def test_each_prompt_is_completed(prompt: Any, times: int) -> None:
    difference = worst(COMPLETIONS, prompt=prompt, max_tokens=11) - worst(COMPLETIONS, prompt=prompt, max_tokens=10)
    assert difference == 2 * times


def test_an_echo_is_output_too() -> None:
    plain = worst(COMPLETIONS, prompt="x" * 100, max_tokens=10)
    assert worst(COMPLETIONS, prompt="x" * 100, max_tokens=10, echo=True) - plain == 2 * (100 + 2 + 2)


# ---- input


@pytest.mark.parametrize(("path", "name"), [(EMBEDDINGS, "input"), (COMPLETIONS, "prompt")])
@pytest.mark.parametrize(
    ("more", "less", "tokens"),
    [
        ("x" * 1_000, "x", 999),
        (["x" * 1_000], ["x"], 999),
        (["x", "x"], ["x"], 3),
        ([5] * 1_000, [5], 999),
        ([[5] * 1_000, [5] * 10], [[5], [5]], 1_008),
        ("\N{SNOWMAN}", "x", 2),
    ],
)
def test_an_input_is_held_for_whatever_its_form(path: str, name: str, more: Any, less: Any, tokens: int) -> None:
    limit = {"max_tokens": 0} if path == COMPLETIONS else {}
    assert worst(path, **{name: more}, **limit) - worst(path, **{name: less}, **limit) == tokens


@pytest.mark.parametrize(("value", "tokens"), [("x" * 10, 12), ([5] * 10, 10), ([[5] * 4, [5] * 6], 10), (None, 2)])
def test_an_input_s_tokens_are_counted_in_full(value: Any, tokens: int) -> None:
    assert worst(EMBEDDINGS, input=value) == tokens


def test_a_suffix_is_input() -> None:
    plain = worst(COMPLETIONS, prompt="abc", max_tokens=0)
    assert worst(COMPLETIONS, prompt="abc", suffix="x" * 100, max_tokens=0) - plain == 100


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
def test_what_is_spoken_is_input_and_what_is_no_input_is_not(path: str) -> None:
    name, limit = ("messages", "max_tokens") if path == CHAT else ("input", "max_output_tokens")
    requested = {name: "x", limit: 50}
    plain = worst(path, **requested)
    assert worst(path, **requested | {name: "x" * 101}) - plain == 100
    assert worst(path, **requested, metadata={"a": "b" * 100}, user="u" * 100) == plain
    assert worst(path, **requested, seed=1) - plain == size_of({"seed": 1}).tokens


@pytest.mark.parametrize("value", [{"previous_response_id": "r"}, {"conversation": "c"}, {"prompt": {"id": "p"}}])
def test_an_input_that_is_not_in_the_request_is_held_at_the_window(value: dict[str, Any]) -> None:
    assert worst(RESPONSES, input="x", max_output_tokens=50, **value) == CONTEXT_TOKENS + 2 * 50


def test_the_frame_of_an_input_is_held_for() -> None:
    body = {"messages": MESSAGES, "max_tokens": 0}
    assert worst(CHAT, **body) == size_of(body).tokens + 64


def test_a_tool_of_the_provider_s_own_is_described_at_length() -> None:
    requested = {"input": "x", "max_output_tokens": 0}
    for kind, words in (("computer", 4_096), ("function", 0), ("custom", 0)):
        tools = [{"type": kind}]
        assert (
            worst(RESPONSES, **requested, tools=tools) - worst(RESPONSES, **requested)
            == size_of({"tools": tools}).tokens - size_of({}).tokens + words
        )


@pytest.mark.parametrize("requested", [{"tools": [{"type": "mcp"}]}, {"model": None}])
def test_what_the_provider_adds_to_the_input_is_held_at_the_window(requested: dict[str, Any]) -> None:
    assert worst(RESPONSES, input="x", max_output_tokens=50, **requested) == CONTEXT_TOKENS + 2 * 50


# ---- sizes


@pytest.mark.parametrize("value", [None, True, 5, 0.1, -(10**15)])
def test_a_number_has_twenty_tokens_at_most(value: Any) -> None:
    assert size_of(value).tokens == 20


@pytest.mark.parametrize(
    ("data", "seconds"), [("", 1), (None, 1), ("x" * 999, 1), ("x" * 1_000, 2), ("x" * 1_000_000, 1_001)]
)
def test_speech_is_held_for_at_25_tokens_a_second_of_at_least_750_bytes(data: Any, seconds: int) -> None:
    size = size_of({"input_audio": {"data": data}})
    assert size.kinds == {"audio"}
    assert size.tokens == len("input_audio") + 6 + 25 * seconds
    assert not size.unseen


@pytest.mark.parametrize(
    ("value", "tokens", "kinds", "unseen"),
    [
        ({"image_url": {"url": "x" * 99}}, 9 + 6 + 50_000, {"image"}, False),
        ({"input_audio": ["a"]}, 11 + 6 + 2 + 2 + 1, set(), False),
        ({"type": "image", "size": [1]}, 4 + 6 + 7 + 4 + 6 + 2 + 20, set(), False),
        ({"image_file": {}}, 10 + 6 + 50_000, {"image"}, False),
        ({"type": "image", "source": {}}, 4 + 6 + 7 + 6 + 6 + 50_000, {"image"}, False),
        ({"type": "text", "source": {}}, 4 + 6 + 6 + 6 + 6, set(), False),
        ({"video_url": "x"}, 9 + 6, {"video"}, True),
        ({"input_video": "x"}, 11 + 6, {"video"}, True),
        ({"file_id": "x"}, 7 + 6, set(), True),
        ({"file_id": None}, 7 + 6 + 20, set(), False),
        (b"12345", 5, set(), False),
        (bytearray(b"12"), 2, set(), False),
        ([], 2, set(), False),
        (("a", 1), 2 + 3 + 20, set(), False),
        (MappingProxyType({"a": MappingProxyType({"input_audio": {}})}), 1 + 6 + 11 + 6 + 25, {"audio"}, False),
        ({"a": MappingProxyType({"bc": "def"})}, 1 + 6 + 2 + 6 + 2 + 3, set(), False),
        (UserList(["a", 1]), 2 + 3 + 20, set(), False),
        ("\ud800", 2 + 3, set(), False),
        pytest.param(object(), 0, set(), True, id="an object"),
    ],
    ids=repr,
)
def test_what_is_in_a_request_is_sized_by_its_kind(value: Any, tokens: int, kinds: set[str], unseen: bool) -> None:
    size = size_of(value)
    assert (size.tokens, size.kinds, size.unseen) == (tokens, kinds, unseen)
