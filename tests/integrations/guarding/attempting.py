"""A provider of messages, and middleware that sends it more than one request within a call."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from anthropic import Anthropic, AsyncAnthropic

from aumos_governance import govern
from tests.integrations.till import Till, priced
from tests.integrations.wire import http, needs_parameter

__all__ = ["HAIKU", "OPUS", "REQUEST", "Provider", "chained", "cost", "message", "refusing", "to_opus"]

HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-4-5"
REQUEST: Any = {"model": HAIKU, "max_tokens": 1000, "messages": [{"role": "user", "content": "Hello"}]}


def cost(model: str, output: int = 100) -> Decimal:
    return priced(model, {"input_tokens": 1000, "output_tokens": output}, provider="anthropic")


def chained(middleware: Sequence[Any]) -> dict[str, Any]:
    """The option of a client with this middleware; skips the test where the library's clients have none."""
    if not middleware:
        return {}
    needs_parameter(Anthropic, "middleware")
    return {"middleware": middleware}


class Provider:
    """Responds to what it is sent by a function of the request's body and its number, counted from 1."""

    def __init__(self) -> None:
        self.models: list[str] = []
        self.response: Callable[[dict[str, Any], int], Any] = lambda body, _: message(body)

    def __call__(self, request: http.Request) -> http.Response:
        body = json.loads(request.content)
        self.models.append(body["model"])
        response = self.response(body, len(self.models))
        return response if isinstance(response, http.Response) else http.Response(200, json=response)

    async def awaited(self, request: http.Request) -> http.Response:
        return self(request)

    def client(self, till: Till, *middleware: Any, **options: Any) -> Anthropic:
        responding = http.Client(transport=http.MockTransport(self))
        plain = Anthropic(api_key="k", http_client=responding, **{"max_retries": 0} | options | chained(middleware))
        return govern(plain, engine=till.engine, budget_category="llm")

    def async_client(self, till: Till, *middleware: Any) -> AsyncAnthropic:
        responding = http.AsyncClient(transport=http.MockTransport(self.awaited))
        plain = AsyncAnthropic(api_key="k", http_client=responding, max_retries=0, **chained(middleware))
        return govern(plain, engine=till.engine, budget_category="llm")


def message(body: dict[str, Any], reason: str = "end_turn", output: int = 100) -> Any:
    reported: dict[str, Any] = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "stop_reason": reason,
        "stop_sequence": None,
        "content": [{"type": "text", "text": "hi"}],
        "usage": {"input_tokens": 1000, "output_tokens": output},
    }
    if not body.get("stream"):
        return reported
    begun = {**reported, "content": [], "stop_reason": None, "usage": {"input_tokens": 1000, "output_tokens": 1}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": output},
        },
        {"type": "message_stop"},
    ]
    if reason == "refusal":
        del events[1:4]
    sent = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return http.Response(200, headers={"content-type": "text/event-stream"}, content=sent.encode())


def refusing(body: dict[str, Any], number: int) -> Any:
    return message(body, "refusal", 1) if number == 1 else message(body)


def to_opus(request: Any) -> Any:
    return request.copy(body={**request.json, "model": OPUS})
