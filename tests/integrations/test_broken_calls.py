"""Calls that fail, break off or are dropped: what may have cost is an estimate, the rest is free."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from typing import Any, TypeVar

import httpx2
import pytest
from openai import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AsyncOpenAI,
    InternalServerError,
    OpenAI,
    RateLimitError,
)

from aumos_governance import ConfigurationError, GovernanceDeniedError, GovernanceEngine, govern
from aumos_governance.errors import LedgerError
from aumos_governance.integrations.calls import Asked
from aumos_governance.integrations.leftovers import leftovers
from aumos_governance.integrations.openai_calls import PROVIDER
from aumos_governance.integrations.pricing import Prices
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced

AnswerT = TypeVar("AnswerT")
ASKED: Any = [{"role": "user", "content": "What is six times seven?"}]
COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})


def plain(endpoint: Endpoint, **options: Any) -> OpenAI:
    return OpenAI(**{"base_url": endpoint.openai_url, "api_key": "key", "max_retries": 0} | options)


@pytest.fixture
def client(endpoint: Endpoint, till: Till) -> Iterator[OpenAI]:
    with govern(plain(endpoint), engine=till.engine, budget_category="llm") as client:
        yield client


Run = Callable[[Callable[[AsyncOpenAI], Coroutine[Any, Any, AnswerT]]], AnswerT]


@pytest.fixture
def run(endpoint: Endpoint, till: Till) -> Run[Any]:
    """Runs a coroutine with a governed client in a loop of its own."""

    def running(work: Callable[[AsyncOpenAI], Coroutine[Any, Any, Any]]) -> Any:
        async def with_client() -> Any:
            async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0) as client:
                return await work(govern(client, engine=till.engine, budget_category="llm"))

        return asyncio.run(with_client())

    return running


def chat(client: OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(**{"model": "gpt-4o", "messages": ASKED, "max_tokens": 50} | options)


async def chat_async(client: AsyncOpenAI, **options: Any) -> Any:
    return await client.chat.completions.create(**{"model": "gpt-4o", "messages": ASKED, "max_tokens": 50} | options)


# ---- answered with an error


@pytest.mark.parametrize(("status", "error"), [(429, RateLimitError), (500, InternalServerError)])
def test_an_answer_that_is_an_error_costs_nothing(
    client: OpenAI, till: Till, endpoint: Endpoint, status: int, error: type[APIError]
) -> None:
    endpoint.script(Reply(status=status))
    with pytest.raises(error):
        chat(client)
    assert (till.spent, till.events()) == (0, ["hold", "release"])


def test_retries_take_the_hold_over(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(status=429), Reply(status=500))
    chat(client.with_options(max_retries=2))
    assert (till.spent, till.events(), endpoint.count) == (COST, ["hold", "settle"], 3)


def test_retries_take_the_hold_over_also_when_awaited(run: Run[Any], till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(status=429), Reply(status=500))
    run(lambda client: chat_async(client.with_options(max_retries=2)))
    assert (till.spent, till.events(), endpoint.count) == (COST, ["hold", "settle"], 3)


# ---- not answered


def test_each_attempt_without_an_answer_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(break_after=0), Reply(status=500), Reply(break_after=0))
    chat(client.with_options(max_retries=3))
    assert till.events() == ["hold", "estimated", "hold", "estimated", "hold", "settle"]
    first = till.records()[0].amount
    assert [record.amount for record in till.records("settle")][:2] == [first, first]


def test_each_attempt_without_an_answer_is_an_estimate_also_when_awaited(
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
        chat(client.with_options(max_retries=5), max_tokens=100)
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
    with OpenAI(base_url=address, api_key="key", max_retries=1) as nobody, pytest.raises(APIConnectionError):
        chat(govern(nobody, engine=till.engine, budget_category="llm"))
    assert (till.spent, till.events()) == (0, ["hold", "release"])


def test_an_error_that_the_caller_handles_already_is_none_of_the_call_s(
    client: OpenAI, till: Till, endpoint: Endpoint
) -> None:
    endpoint.script(Reply(break_after=0))
    try:
        raise httpx2.ConnectError("of another call")
    except httpx2.ConnectError:
        chat(client.with_options(max_retries=1))
    assert till.events() == ["hold", "estimated", "hold", "settle"]


def test_a_request_that_cannot_be_made_is_free(client: OpenAI, till: Till) -> None:
    with pytest.raises(TypeError):
        chat(client, temperature=object())
    assert till.spent == 0


# ---- answers that say nothing of what they used


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
    answer = client.chat.completions.with_raw_response.create(
        model="gpt-4o", messages=ASKED, max_tokens=50, stream=stream
    )
    for _ in answer.http_response.iter_bytes():
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


# ---- streams that are not read to their end


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
    assert settled.amount == held.amount


def test_a_stream_that_breaks_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(break_after=3), Reply(error_after=3))
    with pytest.raises(APIConnectionError):
        list(chat(client, stream=True))
    with pytest.raises(APIError):
        list(chat(client, stream=True))
    assert sorted(till.events()) == ["estimated"] * 2 + ["hold"] * 2


def test_a_stream_without_a_last_word_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.script(Reply(usage=None))
    list(chat(client, stream=True))
    assert till.events() == ["hold", "estimated"]


def test_a_response_that_is_never_read_is_an_estimate(client: OpenAI, till: Till) -> None:
    with client.chat.completions.with_streaming_response.create(model="gpt-4o", messages=ASKED, max_tokens=9):
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
    assert settled.amount in (int(COST * 10**9), till.records("hold")[0].amount)


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


# ---- interrupted


def test_a_cancelled_call_is_an_estimate(run: Run[Any], till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(pause_after=0)

    async def cancelled(client: AsyncOpenAI) -> None:
        task = asyncio.create_task(chat_async(client))
        await asyncio.to_thread(endpoint.wait_received, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled)
    assert till.events() == ["hold", "estimated"]


def test_an_interrupted_call_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(pause_after=0)
    felt = threading.Event()

    def interrupt() -> None:
        endpoint.wait_received(1)
        # Again, as a person does: one that comes while Python runs a finaliser is lost.
        while not felt.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            felt.wait(2)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            chat(client)
    finally:
        felt.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert till.events() == ["hold", "estimated"]


PROGRAM = """
import sys
from openai import OpenAI
from aumos_governance import GovernanceEngine, govern

engine = GovernanceEngine(ledger=sys.argv[2])
engine.budget.create_budget("llm", 10, "lifetime")
client = govern(OpenAI(base_url=sys.argv[1], api_key="key"), engine=engine, budget_category="llm")
stream = client.chat.completions.create(
    model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], stream=True, max_tokens=50
)
print(next(iter(stream)).id, flush=True)
"""


def test_what_is_open_when_the_interpreter_ends_is_an_estimate(endpoint: Endpoint, tmp_path: Any) -> None:
    endpoint.default = Reply(pause_after=2)
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, endpoint.openai_url, url],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ,
    )
    assert (result.stderr, result.stdout[:4]) == ("", "chat")
    with GovernanceEngine(ledger=url) as engine:
        balance = engine.budget.balance("llm")
        assert (balance.held, balance.spent > 0) == (0, True)
        assert list(engine.audit.entries())[-1].detail == {"estimated": True}


# ---- before anything is sent


def test_a_request_that_cannot_be_made_gives_its_hold_back(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    with pytest.raises(TypeError):
        chat(client, extra_body={"metadata": object()})
    assert (till.held, till.spent, endpoint.count) == (0, 0, 0)
    assert till.events() == ["hold", "release"]


def test_an_interrupt_before_a_call_is_sent_gives_its_hold_back(
    client: OpenAI, till: Till, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "_build_request", interrupted)
    with pytest.raises(KeyboardInterrupt):
        chat(client)
    assert (till.held, till.spent, endpoint.count) == (0, 0, 0)
    assert till.events() == ["hold", "release"]


# ---- a ledger that fails


def test_an_answer_is_not_withheld_when_its_cost_cannot_be_recorded(
    client: OpenAI, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, failures = till.engine.realm.execute, iter([True, True])

    def failing(request: Any) -> Any:
        if type(request).__name__ == "Settle" and next(failures, False):
            raise LedgerError("The disk is full.")
        return execute(request)

    monkeypatch.setattr(till.engine.realm, "execute", failing)
    with pytest.warns(RuntimeWarning, match="not recorded yet"):
        assert chat(client).usage.prompt_tokens == 11
    assert (till.held, till.spent) == (0, COST)


def test_a_call_that_cannot_be_held_is_not_sent(
    client: OpenAI, till: Till, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(request: Any) -> Any:
        raise LedgerError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(till.engine.realm, "submit", failing)
        with pytest.raises(LedgerError):
            chat(client)
    assert endpoint.count == 0


# ---- many at once


def test_fifty_streams_at_once_spend_no_more_than_there_is(run: Run[Any], till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(pause_after=1)
    action = {"model": "gpt-4o", "messages": ASKED, "max_tokens": 50, "stream": True}
    worst = _worst(action)
    till.engine.budget.set_limit("llm", worst * 10)

    async def one(client: AsyncOpenAI) -> bool:
        try:
            stream = await client.chat.completions.create(**action)
        except GovernanceDeniedError:
            return False
        return len([chunk async for chunk in stream]) > 0

    async def all_of_them(client: AsyncOpenAI) -> list[bool]:
        tasks = [asyncio.create_task(one(client)) for _ in range(50)]
        await asyncio.to_thread(endpoint.wait_received, 10)
        # Those that are denied are done; ten wait for the endpoint.
        for task in itertools.islice(asyncio.as_completed(tasks), 40):
            assert await task is False
        assert till.engine.budget.balance("llm").held == worst * 10
        endpoint.default = Reply()
        endpoint.release()
        return await asyncio.gather(*tasks)

    ran = run(all_of_them)
    assert (sum(ran), endpoint.count) == (10, 10)
    assert (till.held, till.spent) == (0, 10 * COST)


def test_fifty_threads_at_once_spend_no_more_than_there_is(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    worst = _worst({"model": "gpt-4o", "messages": ASKED, "max_tokens": 50, "stream": True})
    till.engine.budget.set_limit("llm", worst * 10)
    together, denied = threading.Barrier(50), []

    def one() -> None:
        together.wait()
        try:
            list(chat(client, stream=True))
        except GovernanceDeniedError as error:
            denied.append(error)

    threads = [threading.Thread(target=one) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert endpoint.count == 50 - len(denied)
    assert (till.held, till.spent) == (0, endpoint.count * COST)
    assert till.spent <= worst * 10


def _worst(body: dict[str, Any]) -> Decimal:
    paid = PROVIDER.paid(Asked("post", "/chat/completions", body, streamed=True))
    assert paid is not None
    worst = paid.worst(Prices().rates("gpt-4o", provider="openai"))
    return worst.quantize(Decimal(1).scaleb(-9))


def test_a_fork_leaves_what_its_parent_holds_alone(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    if not hasattr(os, "fork"):
        return
    endpoint.default = Reply(pause_after=2)
    stream = chat(client, stream=True)
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        # Python warns of forks while threads run, which is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = context.Process(target=leftovers.finish)
        child.start()
    child.join()
    assert child.exitcode == 0
    assert till.held > 0
    stream.close()
    assert till.held == 0


def test_a_client_made_from_the_governed_class_is_not_governed_by_chance(client: OpenAI, endpoint: Endpoint) -> None:
    other = type(client)(base_url=endpoint.openai_url, api_key="key")
    with pytest.raises(ConfigurationError, match="govern\\(\\) it as well"):
        chat(other)
    assert endpoint.count == 0
