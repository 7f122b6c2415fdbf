"""Streams and responses that break off, are closed early or are dropped are charged as estimates."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from typing import Any

import pytest
from openai import (
    APIConnectionError,
    APIError,
    AsyncOpenAI,
    OpenAI,
)

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


def _leave(stream: Any) -> None:
    next(iter(stream))


def _close(stream: Any) -> None:
    next(iter(stream))
    stream.close()


def _close_unread(stream: Any) -> None:
    stream.close()


def _break(stream: Any) -> None:
    with stream:
        for _ in stream:
            break


def _raise(stream: Any) -> None:
    with contextlib.suppress(ZeroDivisionError), stream:
        for _ in stream:
            raise ZeroDivisionError


def _forget(stream: Any) -> None:
    del stream


@pytest.mark.parametrize("leave", [_leave, _close, _close_unread, _break, _raise, _forget])
def test_a_stream_that_is_left_is_an_estimate(
    client: OpenAI, till: Till, endpoint: Endpoint, leave: Callable[[Any], None]
) -> None:
    endpoint.default = Reply(pause_after=2)
    leave(chat(client, stream=True))
    gc.collect()
    assert till.held == 0
    assert till.events() == ["hold", "estimated"]
    held, settled = till.records()
    # gpt-4o hides nothing: the input is charged as bounded, and the output as seen.
    assert 0 < settled.amount < held.amount


def test_a_stream_that_breaks_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(break_after=3), Reply(error_after=3))
    # Earlier libraries let the error of their HTTP library through.
    with pytest.raises((APIConnectionError, http.RemoteProtocolError)):
        list(chat(client, stream=True))
    with pytest.raises(APIError):
        list(chat(client, stream=True))
    assert sorted(till.events()) == ["estimated"] * 2 + ["hold"] * 2


def test_a_stream_without_a_last_word_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(usage=None))
    list(chat(client, stream=True))
    assert till.events() == ["hold", "estimated"]


def test_a_response_that_is_never_read_is_an_estimate(client: OpenAI, till: Till) -> None:
    with client.chat.completions.with_streaming_response.create(model="gpt-4o", messages=MESSAGES, max_tokens=9):
        pass
    assert till.events() == ["hold", "estimated"]


def test_usage_that_came_counts_though_the_stream_is_left(client: OpenAI, till: Till) -> None:
    stream = chat(client, stream=True)
    for chunk in stream:
        if chunk.choices[0].finish_reason:
            break
    stream.close()
    (settled,) = till.records("settle")
    # What is read from the network at once is not cut where the caller stops.
    assert int(COST * 10**9) <= settled.amount < till.records("hold")[0].amount


def test_an_awaited_stream_that_is_left_is_an_estimate(run: Run[Any], till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(pause_after=2)

    async def left(client: AsyncOpenAI, *, close: bool) -> None:
        stream = await chat_async(client, stream=True)
        async for _ in stream:
            break
        if close:
            await stream.close()

    async def cancelled(client: AsyncOpenAI) -> None:
        task = asyncio.create_task(read(client))
        await asyncio.to_thread(endpoint.wait_received, 3)
        await asyncio.to_thread(endpoint.exchange(2).wait_sent, 2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def read(client: AsyncOpenAI) -> None:
        async for _ in await chat_async(client, stream=True):
            pass

    run(lambda client: left(client, close=True))
    run(lambda client: left(client, close=False))
    run(cancelled)
    gc.collect()
    assert sorted(till.events()) == ["estimated"] * 3 + ["hold"] * 3
