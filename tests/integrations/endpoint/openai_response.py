"""OpenAI's responses."""

from __future__ import annotations

import json
from typing import Any

from . import openai_usage
from .openai_events import CREATED, sse
from .replies import Reply
from .requests import Received
from .responses import Response, identifier, json_response


def response(received: Received, reply: Reply) -> Response:
    if received.json.get("stream"):
        return _stream(received, reply)
    return json_response(_whole(received, reply, "completed"))


def _whole(received: Received, reply: Reply, status: str) -> dict[str, Any]:
    done = status == "completed"
    return {
        "id": identifier("resp_", received),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": reply.model or received.json["model"],
        "output": _output(received, reply) if done else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": openai_usage.of_response(reply) if done else None,
    }


def _output(received: Received, reply: Reply) -> list[dict[str, Any]]:
    if reply.tool_calls:
        return [
            {
                "type": "function_call",
                "id": f"{identifier('fc_', received)}{place}",
                "call_id": f"{identifier('call_', received)}{place}",
                "name": call.name,
                "arguments": json.dumps(dict(call.arguments)),
                "status": "completed",
            }
            for place, call in enumerate(reply.tool_calls)
        ]
    part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": identifier("msg_", received), "status": "completed", "role": "assistant"}
    return [{**item, "content": [part]}]


def _stream(received: Received, reply: Reply) -> Response:
    begun, whole = _whole(received, reply, "in_progress"), _whole(received, reply, "completed")
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for place, item in enumerate(whole["output"]):
        events += _item_events(place, item, reply)
    events.append({"type": "response.completed", "response": whole})
    pieces = [
        sse(json.dumps({**event, "sequence_number": number}), event["type"]) for number, event in enumerate(events)
    ]
    failure = {"type": "error", "code": "server_error", "message": "The server had an error.", "param": None}
    error = sse(json.dumps({**failure, "sequence_number": len(events)}), "error")
    return Response((*pieces,), content_type="text/event-stream; charset=utf-8", error=error)


def _item_events(place: int, item: dict[str, Any], reply: Reply) -> list[dict[str, Any]]:
    where = {"item_id": item["id"], "output_index": place}
    first = {"type": "response.output_item.added", "output_index": place}
    last = {"type": "response.output_item.done", "output_index": place, "item": item}
    if item["type"] == "function_call":
        arguments = item["arguments"]
        return [
            {**first, "item": {**item, "status": "in_progress", "arguments": ""}},
            {"type": "response.function_call_arguments.delta", **where, "delta": arguments},
            {"type": "response.function_call_arguments.done", **where, "name": item["name"], "arguments": arguments},
            last,
        ]
    part = item["content"][0]
    inside = {**where, "content_index": 0}
    return [
        {**first, "item": {**item, "status": "in_progress", "content": []}},
        {"type": "response.content_part.added", **inside, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **inside, "delta": word, "logprobs": []} for word in reply.words),
        {"type": "response.output_text.done", **inside, "text": reply.text, "logprobs": []},
        {"type": "response.content_part.done", **inside, "part": part},
        last,
    ]
