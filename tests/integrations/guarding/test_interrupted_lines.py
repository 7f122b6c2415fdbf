"""A governed call that is interrupted anywhere, also between two lines of the package, leaves no hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from aumos_governance import GovernanceEngine, govern
from aumos_governance.integrations.guarding.leftovers import leftovers
from tests.integrations.chats import chat
from tests.integrations.till import Till
from tests.integrations.wire import http
from tests.interrupting import PACKAGE, interrupted

# The ledger's own lines have tests of their own.
OURS = (PACKAGE / "integrations", *PACKAGE.glob("*.py"))
RESPONSE = {
    "id": "chat",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "42"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
}


@pytest.fixture(params=["memory", "sqlite"])
def till(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Till]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'governance.db'}"
    with GovernanceEngine(ledger=url) as engine:
        yield Till(engine, limit=1000)


@pytest.fixture
def client(till: Till) -> Iterator[OpenAI]:
    """A governed client whose provider is a function in this process."""
    responding = http.Client(transport=http.MockTransport(lambda _: http.Response(200, json=RESPONSE)))
    with OpenAI(base_url="http://local/v1", api_key="key", max_retries=0, http_client=responding) as plain:
        yield govern(plain, engine=till.engine, budget_category="llm")


def given_back(till: Till) -> bool:
    # What was requested of a ledger's own thread is given back in that thread, which notifies no other one.
    deadline = time.monotonic() + 10
    while till.held:
        if time.monotonic() > deadline:
            return False
    return True


def test_an_interrupt_at_any_line_leaves_no_hold(client: OpenAI, till: Till) -> None:
    chat(client)
    at = 1
    while where := interrupted(lambda: chat(client), at, *OURS):
        assert given_back(till), where
        # Nor is what comes next taken for an attempt of the call that was interrupted.
        held = len(till.records("hold"))
        client.models.retrieve("gpt-4o")
        assert len(till.records("hold")) == held, where
        at += 1
    assert at > 200
    spent = till.spent
    # As at the interpreter's end: what was given back already is not charged then.
    leftovers.finish()
    assert (till.spent, till.held) == (spent, 0)
    assert set(till.events()) >= {"hold", "settle", "estimated", "release"}
