"""A call of several attempts that is interrupted anywhere leaves no hold, and nothing that affects a later call."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from decimal import Decimal

import anthropic
import pytest
from openai import APIConnectionError, OpenAI

from aumos_governance.integrations.guarding.attempts import SENDING, Sending
from aumos_governance.integrations.guarding.leftovers import leftovers
from tests.integrations.chats import chat
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.guarding.attempting import OPUS, REQUEST, Provider, refusing
from tests.integrations.till import Till
from tests.integrations.wire import feature
from tests.interrupting import PACKAGE, interrupted

OURS = (PACKAGE / "integrations", *PACKAGE.glob("*.py"))


@pytest.fixture
def provider() -> Provider:
    return Provider()


def test_what_an_interrupt_left_behind_is_taken_for_nothing(endpoint: Endpoint, client: OpenAI, till: Till) -> None:
    # An interrupt may come just before the context is put back. OpenAI's library has no function that sets it anew.
    left = SENDING.set(Sending(streamed=False))
    try:
        endpoint.default = Reply(break_after=0)
        with pytest.raises(APIConnectionError):
            chat(client)
        assert (till.held, till.events()) == (Decimal(0), ["hold", "estimated"])
    finally:
        SENDING.reset(left)


@pytest.fixture(params=[False, True], ids=["answer", "stream"])
def streamed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def falling_back(provider: Provider, till: Till, streamed: bool) -> Callable[[], object]:
    """A call whose middleware sends two requests, the second one perhaps while the caller reads."""
    client = provider.client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))

    def call() -> object:
        provider.models.clear()
        with anthropic.BetaFallbackState():
            if not streamed:
                return client.beta.messages.create(**REQUEST)
            with client.beta.messages.stream(**REQUEST) as stream:
                return stream.get_final_message()

    provider.response = refusing
    return call


def given_back(till: Till) -> bool:
    if till.held:
        # A stream that the interrupt kept from its reader is found by the garbage collector.
        gc.collect()
    deadline = time.monotonic() + 10
    while till.held:
        if time.monotonic() > deadline:
            return False
    return True


# Python only reports an interrupt that arrives while it runs a generator's finalizer.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_line_of_two_attempts_leaves_no_hold(
    falling_back: Callable[[], object], till: Till, streamed: bool
) -> None:
    till.engine.budget.set_limit("llm", 10_000)
    falling_back()
    at = 1
    while where := interrupted(falling_back, at, *OURS):
        assert given_back(till), where
        # A stream goes through the same lines with each of its events.
        at += 3 if streamed else 1
    assert at > 200
    spent = till.spent
    leftovers.finish()
    assert (till.spent, till.held) == (spent, Decimal(0))
