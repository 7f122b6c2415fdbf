"""A fake provider without cost or network: OpenAI's own client, whose responses are made in this process.

The fake provider is for examples, lessons and tests. `govern` charges its calls by the requested model's real prices.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

__all__ = ["fake_async_openai", "fake_openai"]

_URL: Final = "http://fake-provider.invalid/v1"
_REPLY: Final = "This is what a model could say to"
_MOST_WORDS: Final = 200
_PIECE: Final = re.compile(r"\s*\S+")
_CREATED: Final = 1_767_225_600
_numbers = count(1)


def fake_openai(**options: Any) -> OpenAI:
    """Return a client of OpenAI's library whose responses are made in this process.

    The client serves chat completions and responses, both also streamed, and embeddings. Each reply repeats the prompt,
    and the usage reports one token per word. ``options`` are passed to the client's class. Raises ConfigurationError
    when OpenAI's library is not installed.
    """
    client: OpenAI = _client("OpenAI", "DefaultHttpxClient", options)
    return client


def fake_async_openai(**options: Any) -> AsyncOpenAI:
    """Return an asynchronous client whose responses are made as in `fake_openai`."""
    client: AsyncOpenAI = _client("AsyncOpenAI", "DefaultAsyncHttpxClient", options)
    return client


def _client(kind: str, http_kind: str, options: Mapping[str, Any]) -> Any:
    library = _library()
    http_client = getattr(library, http_kind)(transport=_transport(library))
    return getattr(library, kind)(**{"base_url": _URL, "api_key": "none", "http_client": http_client, **options})


def _library() -> Any:
    try:
        return import_module("openai")
    except ImportError:
        raise ConfigurationError(
            "The fake provider needs OpenAI's client, which is not installed: pip install 'aumos-governance[openai]'."
        ) from None


def _transport(library: Any) -> Any:
    # Each version of OpenAI's library works with one HTTP library only, the base of its own `DefaultHttpxClient`.
    base = next(kind for kind in library.DefaultHttpxClient.__mro__ if not kind.__module__.startswith("openai"))
    http = import_module(base.__module__.partition(".")[0])

    def handler(request: Any) -> Any:
        body = json.loads(request.content) if request.content else {}
        make = _REPLIES.get(request.url.path.removeprefix("/v1"))
        if make is None:
            problem = {"message": "The fake provider knows chat, responses and embeddings.", "type": "invalid_request"}
            return http.Response(404, json={"error": problem})
        response = make(body)
        if isinstance(response, dict):
            return http.Response(200, json=response)
        return http.Response(200, headers={"content-type": "text/event-stream"}, content=b"".join(response))

    return http.MockTransport(handler)


# ---- the responses, by path


def _chat(body: Mapping[str, Any]) -> dict[str, Any] | Iterator[bytes]:
    inputs = [str(_text_of(message.get("content"))) for message in body.get("messages", ())]
    reply = _reply(inputs[-1] if inputs else "")
    usage = {"prompt_tokens": _tokens(*inputs), "completion_tokens": _tokens(reply)}
    usage["total_tokens"] = sum(usage.values())
    head = {"id": f"chatcmpl-fake{next(_numbers)}", "created": _CREATED, "model": body.get("model", "gpt-4o")}
    if body.get("stream"):
        streamed_usage = usage if (body.get("stream_options") or {}).get("include_usage") else None
        return _chat_events({**head, "object": "chat.completion.chunk"}, reply, streamed_usage)
    choice = {"index": 0, "finish_reason": "stop", "logprobs": None}
    message = {"role": "assistant", "content": reply, "refusal": None}
    return {**head, "object": "chat.completion", "choices": [{**choice, "message": message}], "usage": usage}


def _chat_events(head: dict[str, Any], reply: str, usage: dict[str, int] | None) -> Iterator[bytes]:
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in _PIECE.findall(reply)]
    for delta, finish in [*deltas, ({}, "stop")]:
        yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    if usage is not None:
        yield _event({**head, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _response(body: Mapping[str, Any]) -> dict[str, Any] | Iterator[bytes]:
    inputs = body.get("input", "")
    texts = [inputs] if isinstance(inputs, str) else [str(_text_of(item.get("content"))) for item in inputs]
    reply = _reply(texts[-1] if texts else "")
    usage: dict[str, Any] = {
        "input_tokens": _tokens(*texts, str(body.get("instructions") or "")),
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": _tokens(reply),
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    usage["total_tokens"] = usage["input_tokens"] + usage["output_tokens"]
    number = next(_numbers)
    part = {"type": "output_text", "text": reply, "annotations": []}
    item = {"id": f"msg_fake{number}", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    whole = {
        "id": f"resp_fake{number}",
        "object": "response",
        "created_at": _CREATED,
        "model": body.get("model", "gpt-4o"),
        "status": "completed",
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
    }
    return _response_events(whole, item, reply) if body.get("stream") else whole


def _response_events(whole: dict[str, Any], item: dict[str, Any], reply: str) -> Iterator[bytes]:
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": empty},
        *(
            {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
            for piece in _PIECE.findall(reply)
        ),
        {"type": "response.output_text.done", **place, "text": reply, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": item["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    for number, event in enumerate(events):
        yield f"event: {event['type']}\n".encode() + _event({**event, "sequence_number": number})


def _embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    inputs = body.get("input", "")
    texts = inputs if isinstance(inputs, list) and inputs and not isinstance(inputs[0], int) else [inputs]
    data = [
        {"object": "embedding", "index": index, "embedding": [len(str(text)) / 1_000, 0.5, -0.5]}
        for index, text in enumerate(texts)
    ]
    used = sum(len(text) if isinstance(text, list) else _tokens(str(text)) for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": body.get("model", "text-embedding-3-small"), "usage": usage}


_REPLIES: Final = {"/chat/completions": _chat, "/responses": _response, "/embeddings": _embeddings}


def _reply(inputs: str) -> str:
    return f"{_REPLY} {' '.join(inputs.split()[:_MOST_WORDS])!r}."


def _text_of(content: object) -> object:
    if not isinstance(content, list):
        return content or ""
    return " ".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))


def _tokens(*texts: str) -> int:
    return sum(len(text.split()) for text in texts)


def _event(body: object) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
