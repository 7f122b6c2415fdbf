"""OpenAI's chat completions and legacy completions."""

from __future__ import annotations

import json
from typing import Any

from . import openai_usage
from .openai_events import CREATED, error_event, sse
from .replies import Reply
from .requests import Received
from .responses import Response, identifier, json_response


def chat(received: Received, reply: Reply) -> Response:
    requested = received.json
    if requested.get("stream"):
        return _chat_stream(received, reply)
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None}
    if reply.tool_calls:
        message |= {"content": None, "tool_calls": _tool_calls(received, reply)}
    finish = "tool_calls" if reply.tool_calls else "stop"
    choices = [
        {"index": place, "message": message, "finish_reason": finish, "logprobs": None}
        for place in range(int(requested.get("n") or 1))
    ]
    usage = openai_usage.of_chat(reply)
    head = _head(received, reply, "chat.completion", "chatcmpl-")
    return json_response({**head, "choices": choices, **({} if usage is None else {"usage": usage})})


def completion(received: Received, reply: Reply) -> Response:
    head = _head(received, reply, "text_completion", "cmpl-")
    usage = openai_usage.of_chat(reply)
    if not received.json.get("stream"):
        choice = {"index": 0, "text": reply.text, "finish_reason": "stop", "logprobs": None}
        return json_response({**head, "choices": [choice], **({} if usage is None else {"usage": usage})})
    chunks = [
        {**head, "choices": [{"index": 0, "text": word, "finish_reason": None, "logprobs": None}]}
        for word in reply.words
    ]
    return _stream(received, chunks, {**head, "choices": [], "usage": usage}, reply)


def _chat_stream(received: Received, reply: Reply) -> Response:
    head = _head(received, reply, "chat.completion.chunk", "chatcmpl-")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    if reply.tool_calls:
        for place, call in enumerate(_tool_calls(received, reply)):
            arguments = call["function"].pop("arguments")
            half = len(arguments) // 2
            deltas.append({"tool_calls": [{"index": place, **call, "function": {**call["function"], "arguments": ""}}]})
            for part in (arguments[:half], arguments[half:]):
                deltas.append({"tool_calls": [{"index": place, "function": {"arguments": part}}]})  # noqa: PERF401
    else:
        deltas += [{"content": word} for word in reply.words]
    choices = [{"index": 0, "delta": delta, "finish_reason": None, "logprobs": None} for delta in deltas]
    finish = "tool_calls" if reply.tool_calls else "stop"
    choices.append({"index": 0, "delta": {}, "finish_reason": finish, "logprobs": None})
    chunks = [{**head, "choices": [choice]} for choice in choices]
    return _stream(received, chunks, {**head, "choices": [], "usage": openai_usage.of_chat(reply)}, reply)


def _stream(received: Received, chunks: list[dict[str, Any]], last: dict[str, Any], reply: Reply) -> Response:
    """Stream a chat. A client that requests the usage gets it in one more chunk, and null in each other chunk."""
    requested = (received.json.get("stream_options") or {}).get("include_usage", False)
    if requested and reply.usage is not None:
        chunks = [*({**chunk, "usage": None} for chunk in chunks), last]
    pieces = [sse(json.dumps(chunk)) for chunk in chunks]
    return Response((*pieces, sse("[DONE]")), content_type="text/event-stream; charset=utf-8", error=error_event())


def _head(received: Received, reply: Reply, kind: str, prefix: str) -> dict[str, Any]:
    model = reply.model or received.json.get("model") or "deployed"
    return {"id": identifier(prefix, received), "object": kind, "created": CREATED, "model": model}


def _tool_calls(received: Received, reply: Reply) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{identifier('call_', received)}{place}",
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))},
        }
        for place, call in enumerate(reply.tool_calls)
    ]
