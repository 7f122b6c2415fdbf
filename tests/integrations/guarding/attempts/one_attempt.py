"""One attempt of a paid call, without a library that makes it, and both ways to run its steps."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from aumos_governance.integrations.guarding.calls import ApiRequest, Paid
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.steps import now, when_awaited
from tests.integrations.chats import MESSAGES

BODY = {"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 50}
REQUEST = ApiRequest("post", "/chat/completions", BODY)
GOOD = b'{"id": "c1", "model": "gpt-4o", "usage": {"prompt_tokens": 11, "completion_tokens": 7}}'


class RefusedError(Exception):
    status_code = 429


def paid_call(**more: Any) -> Paid:
    found = PROVIDER.paid(ApiRequest("post", "/chat/completions", {**BODY, **more}))
    assert found is not None
    return found


def response(content: bytes = GOOD, status: Any = 200) -> Any:
    return SimpleNamespace(status_code=status, content=content)


class Way:
    """Runs a method in its synchronous or its asynchronous form."""

    def __init__(self, *, awaited: bool) -> None:
        self.awaited = awaited
        self._loop = asyncio.new_event_loop() if awaited else None

    def __call__(self, method: Any, *arguments: Any) -> Any:
        if method.__name__.endswith("ing"):
            steps = method(*arguments, awaited=self._loop is not None)
            return now(steps) if self._loop is None else self._loop.run_until_complete(when_awaited(steps))
        if self._loop is None:
            return method(*arguments)
        twin = getattr(method.__self__, f"{method.__name__}_async")
        return self._loop.run_until_complete(twin(*arguments))

    def close(self) -> None:
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
