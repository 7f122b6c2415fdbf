"""Calls that are interrupted or never sent, and a ledger that fails: nothing stays held, no response is withheld."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from openai import (
    AsyncOpenAI,
    OpenAI,
)

from aumos_governance import GovernanceEngine
from aumos_governance.errors import LedgerError
from tests.integrations.chats import COST, Run, chat, chat_async
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till

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


# Python only reports an interrupt that arrives while it runs a finalizer.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupted_call_is_an_estimate(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(pause_after=0)
    felt = threading.Event()

    def interrupt() -> None:
        endpoint.wait_received(1)
        # Like a user, interrupt again where an interrupt was lost.
        while not felt.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            felt.wait(10)

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


@pytest.mark.skipif(
    sys.version_info[:3] == (3, 13, 0),
    reason="this release of Python crashes when OpenAI's library closes a stream then",
)
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


@pytest.fixture(params=[True, False], ids=["at-once", "ahead"])
def events(request: pytest.FixtureRequest, till: Till, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The events of a call that is never sent, whose hold is requested before the request is prepared or meanwhile."""
    monkeypatch.setattr(till.engine.realm.ledger, "at_once", request.param)
    return [] if request.param else ["hold", "release"]


def test_a_request_that_cannot_be_made_holds_nothing(
    client: OpenAI, till: Till, endpoint: Endpoint, events: list[str]
) -> None:
    with pytest.raises(TypeError):
        chat(client, extra_body={"metadata": object()})
    assert (till.held, till.spent, endpoint.count) == (0, 0, 0)
    assert till.events() == events


def test_an_interrupt_before_a_call_is_sent_holds_nothing(
    client: OpenAI, till: Till, endpoint: Endpoint, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "_build_request", interrupted)
    with pytest.raises(KeyboardInterrupt):
        chat(client)
    assert (till.held, till.spent, endpoint.count) == (0, 0, 0)
    assert till.events() == events


# ---- a ledger that fails


def test_a_response_is_not_withheld_when_its_cost_cannot_be_recorded(
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
        patch.setattr(till.engine.realm, "execute", failing)
        with pytest.raises(LedgerError):
            chat(client)
    assert endpoint.count == 0
