"""A governed call that is interrupted anywhere, also between two of our own lines, leaves no hold behind."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from linecache import getline
from pathlib import Path
from types import FrameType
from typing import Any

import httpx2
import pytest
from openai import OpenAI

import aumos_governance
from aumos_governance import GovernanceEngine, govern
from aumos_governance.integrations.leftovers import leftovers
from tests.integrations.chats import chat
from tests.integrations.till import Till

PACKAGE = Path(aumos_governance.__file__).parent
OURS = {str(path) for path in (*PACKAGE.glob("*.py"), *PACKAGE.glob("integrations/*.py"))}
ANSWER = {
    "id": "chat",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "42"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
}


class Interrupting:
    """Raises KeyboardInterrupt at one of the lines of the package that this thread comes to."""

    def __init__(self, at: int) -> None:
        self._left = at
        self.where = ""

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename not in OURS:
            return None
        # At these Python looks for no signal, so that nothing comes between them and what they guard.
        line = getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if event == "line" and not line.startswith(("try:", "with ")):
            self._left -= 1
            if self._left == 0:
                self.where = f"{Path(frame.f_code.co_filename).name}: {line}"
                raise KeyboardInterrupt
        return self


@pytest.fixture(params=["memory", "sqlite"])
def till(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Till]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'governance.db'}"
    with GovernanceEngine(ledger=url) as engine:
        yield Till(engine, limit=1000)


@pytest.fixture
def client(till: Till) -> Iterator[OpenAI]:
    """A governed one, whose provider is a function of this process."""
    answering = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER)))
    with OpenAI(base_url="http://local/v1", api_key="key", max_retries=0, http_client=answering) as plain:
        yield govern(plain, engine=till.engine, budget_category="llm")


def interrupted(client: OpenAI, at: int) -> str:
    """Call, be interrupted at a line, and tell which; nothing where there were not that many."""
    interrupting, former = Interrupting(at), sys.gettrace()
    sys.settrace(interrupting)
    try:
        chat(client)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(former)
    return interrupting.where


def given_back(till: Till) -> bool:
    # What a ledger's own thread was asked for is given back in that thread, which tells nobody.
    deadline = time.monotonic() + 10
    while till.held:
        if time.monotonic() > deadline:
            return False
    return True


def test_an_interrupt_at_any_line_leaves_no_hold(client: OpenAI, till: Till) -> None:
    chat(client)
    at = 1
    while where := interrupted(client, at):
        assert given_back(till), where
        at += 1
    assert at > 200
    spent = till.spent
    # As at the interpreter's end: what was given back already is not charged then.
    leftovers.finish()
    assert (till.spent, till.held) == (spent, 0)
    assert set(till.events()) >= {"hold", "settle", "estimated", "release"}
