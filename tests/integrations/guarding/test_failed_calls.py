"""Calls that get an error response, no response, or a response without usage."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import pytest
from openai import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    InternalServerError,
    OpenAI,
    RateLimitError,
)

from aumos_governance import GovernanceDeniedError, govern
from tests.integrations.chats import (
    COST,
    MESSAGES,
    Run,
    chat,
    chat_async,
)
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till
from tests.integrations.wire import http

# ---- error responses


@pytest.mark.parametrize(("status", "error"), [(429, RateLimitError), (500, InternalServerError)])
def test_a_response_that_is_an_error_costs_nothing(
    client: OpenAI, till: Till, endpoint: Endpoint, status: int, error: type[APIError]
) -> None:
    endpoint.script(Reply(status=status))
    with pytest.raises(error):
        chat(client)
    assert (till.spent, till.events()) == (0, ["hold", "release"])


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("stream", [False, True])
def test_a_last_response_that_is_an_error_costs_nothing_also_when_awaited(
    run: Run[Any], till: Till, endpoint: Endpoint, retries: int, stream: bool
) -> None:
    endpoint.script(*[Reply(status=429)] * (retries + 1))
    with pytest.raises(RateLimitError):
        run(lambda client: chat_async(client.with_options(max_retries=retries), stream=stream))
    assert (till.spent, till.events(), endpoint.count) == (0, ["hold", "release"], retries + 1)


def test_retries_take_the_hold_over(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(status=429), Reply(status=500))
    chat(client.with_options(max_retries=2))
    assert (till.spent, till.events(), endpoint.count) == (COST, ["hold", "settle"], 3)


def test_retries_take_the_hold_over_also_when_awaited(run: Run[Any], till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(status=429), Reply(status=500))
    run(lambda client: chat_async(client.with_options(max_retries=2)))
    assert (till.spent, till.events(), endpoint.count) == (COST, ["hold", "settle"], 3)


# ---- no response


def test_each_attempt_without_a_response_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(break_after=0), Reply(status=500), Reply(break_after=0))
    chat(client.with_options(max_retries=3))
    assert till.events() == ["hold", "estimated", "hold", "estimated", "hold", "settle"]
    first = till.records()[0].amount
    assert [record.amount for record in till.records("settle")][:2] == [first, first]


def test_each_attempt_without_a_response_is_an_estimate_also_when_awaited(
    run: Run[Any], till: Till, endpoint: Endpoint
) -> None:
    endpoint.script(Reply(break_after=0), Reply(break_after=0))
    with pytest.raises(APIConnectionError):
        run(lambda client: chat_async(client.with_options(max_retries=1)))
    assert till.events() == ["hold", "estimated", "hold", "estimated"]


def test_a_retry_that_no_longer_fits_is_denied(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    till.engine.budget.set_limit("llm", "0.002")
    endpoint.script(Reply(break_after=0), Reply(break_after=0))
    with pytest.raises(GovernanceDeniedError):
        chat(client.with_options(max_retries=5), max_tokens=100, service_tier="default")
    assert (till.events(), endpoint.count) == (["hold", "estimated", "hold"], 1)


def test_a_timeout_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(pause_after=0))
    with pytest.raises(APITimeoutError):
        chat(client.with_options(timeout=0.1))
    assert till.events() == ["hold", "estimated"]


def test_what_never_left_is_free(till: Till) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = "http://{}:{}/v1".format(*unused.getsockname())
        # The port is bound and does not listen, so that no other program can respond there.
        with OpenAI(base_url=address, api_key="key", max_retries=1) as nobody, pytest.raises(APIConnectionError):
            chat(govern(nobody, engine=till.engine, budget_category="llm"))
    assert (till.spent, till.events()) == (0, ["hold", "release"])


def test_an_error_that_the_caller_handles_already_is_none_of_the_call_s(
    client: OpenAI, till: Till, endpoint: Endpoint
) -> None:
    endpoint.script(Reply(break_after=0))
    try:
        raise http.ConnectError("of another call")
    except http.ConnectError:
        chat(client.with_options(max_retries=1))
    assert till.events() == ["hold", "estimated", "hold", "settle"]


def test_a_request_that_cannot_be_made_is_free(client: OpenAI, till: Till) -> None:
    with pytest.raises(TypeError):
        chat(client, temperature=object())
    assert till.spent == 0


# ---- responses without usage


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": "many", "completion_tokens": 1},
        {"prompt_tokens": -1, "completion_tokens": 1},
        {"prompt_tokens": True, "completion_tokens": 1},
        {"prompt_tokens": 1.5e13, "completion_tokens": 1},
        {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 6}},
        {"prompt_tokens": None, "completion_tokens": None},
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_malformed_usage_is_an_estimate(
    client: OpenAI, till: Till, endpoint: Endpoint, usage: Any, stream: bool
) -> None:
    endpoint.script(Reply(usage=usage))
    response = client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=MESSAGES, max_tokens=50, stream=stream
    )
    for _ in response.http_response.iter_bytes():
        pass
    assert till.events() == ["hold", "estimated"]


@pytest.mark.parametrize("body", [b"", b"not json", b"[1, 2]", b'{"usage": 3}'])
def test_a_body_that_is_none_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint, body: bytes) -> None:
    endpoint.script(Reply(body=body))
    with contextlib.suppress(APIError, ValueError):
        chat(client)
    assert till.events() == ["hold", "estimated"]


def test_half_a_body_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(break_after=1))
    with pytest.raises(APIConnectionError):
        chat(client)
    assert till.events() == ["hold", "estimated"]
