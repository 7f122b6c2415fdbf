"""Anthropic's wire format: messages, legacy completions, token counts, batches and models."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .replies import Reply, Tokens
from .requests import Received
from .responses import NotServedError, Response, identifier, json_response

MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5")
_ERRORS = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}


def response(received: Received, reply: Reply) -> Response:
    """Respond as Anthropic's server does. Raises NotServedError for a path that it has not."""
    path = received.path.partition("?")[0]
    if received.method == "GET" and path.endswith("/models"):
        models = [
            {"type": "model", "id": name, "display_name": name, "created_at": "2025-10-01T00:00:00Z"} for name in MODELS
        ]
        return json_response({"data": models, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})
    if path.endswith(("/messages/count_tokens", "/count-tokens:rawPredict")):
        return json_response({"input_tokens": reply.usage.input if isinstance(reply.usage, Tokens) else 0})
    if path.endswith("/messages/batches"):
        return json_response(_batch(received))
    if path.endswith("/complete"):
        return _completion(received, reply)
    if path.endswith(("/messages", ":rawPredict", ":streamRawPredict", "/invoke")):
        return _message(received, reply)
    if path.endswith("/invoke-with-response-stream"):
        return _in_frames(_message(received, reply, streamed=True))
    raise NotServedError(path)


def error(status: int) -> Response:
    problem = {"type": _ERRORS.get(status, "api_error"), "message": f"Refused with {status}."}
    return json_response({"type": "error", "error": problem}, status=status)


def usage(reply: Reply) -> Mapping[str, Any] | None:
    tokens = reply.usage
    if not isinstance(tokens, Tokens):
        return tokens
    written = tokens.cache_written + tokens.cache_written_1h
    return {
        "input_tokens": tokens.input,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_written,
            "ephemeral_1h_input_tokens": tokens.cache_written_1h,
        },
        "output_tokens": tokens.output,
        "service_tier": "standard",
    }


def _message(received: Received, reply: Reply, *, streamed: bool = False) -> Response:
    stated = usage(reply)
    whole: dict[str, Any] = {
        "id": identifier("msg_", received),
        "type": "message",
        "role": "assistant",
        "model": reply.model or received.json.get("model") or _model_of(received.path),
        "content": _content(received, reply),
        "stop_reason": "tool_use" if reply.tool_calls else "end_turn",
        "stop_sequence": None,
    }
    if not (streamed or received.json.get("stream")):
        return json_response(whole if stated is None else {**whole, "usage": stated})
    return _stream(whole, stated, reply)


def _model_of(path: str) -> str:
    """The path names the model where the body does not: on Bedrock, and on Vertex."""
    if path.startswith("/model/"):
        return path.split("/")[2]
    return path.rpartition("/")[2].partition(":")[0]


def _stream(whole: dict[str, Any], stated: Mapping[str, Any] | None, reply: Reply) -> Response:
    """The input's tokens come with the first event, the output's with the last but one, cumulative."""
    begun = {**whole, "content": [], "stop_reason": None}
    if stated is not None:
        # A reply's usage that is malformed on purpose goes out as it is.
        begun["usage"] = {**stated, "output_tokens": 1} if isinstance(reply.usage, Tokens) else stated
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}]
    for place, block in enumerate(whole["content"]):
        events += _block_events(place, block, reply)
        if not place:
            events.insert(2, {"type": "ping"})
    delta: dict[str, Any] = {
        "type": "message_delta",
        "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
    }
    if stated is not None:
        keep = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
        delta["usage"] = {name: stated[name] for name in keep} if isinstance(reply.usage, Tokens) else stated
    return _events([*events, delta, {"type": "message_stop"}])


def _block_events(place: int, block: dict[str, Any], reply: Reply) -> list[dict[str, Any]]:
    if block["type"] == "tool_use":
        start = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    else:
        start = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in reply.words]
    return [
        {"type": "content_block_start", "index": place, "content_block": start},
        *({"type": "content_block_delta", "index": place, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": place},
    ]


def _content(received: Received, reply: Reply) -> list[dict[str, Any]]:
    if not reply.tool_calls:
        return [{"type": "text", "text": reply.text, "citations": None}]
    return [
        {
            "type": "tool_use",
            "id": f"{identifier('toolu_', received)}{place}",
            "name": call.name,
            "input": dict(call.arguments),
        }
        for place, call in enumerate(reply.tool_calls)
    ]


def _completion(received: Received, reply: Reply) -> Response:
    head = {"type": "completion", "id": identifier("compl_", received), "model": reply.model or received.json["model"]}
    if not received.json.get("stream"):
        return json_response({**head, "completion": reply.text, "stop_reason": "stop_sequence", "stop": None})
    events = [{**head, "completion": word, "stop_reason": None, "stop": None} for word in reply.words]
    return _events([*events, {**head, "completion": "", "stop_reason": "stop_sequence", "stop": None}])


def _batch(received: Received) -> dict[str, Any]:
    counts = {"processing": 1, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
    times = {"created_at": "2025-10-01T00:00:00Z", "expires_at": "2025-10-02T00:00:00Z"}
    return {
        "id": identifier("msgbatch_", received),
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": counts,
        **times,
    }


def _events(events: list[dict[str, Any]]) -> Response:
    problem = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    pieces = [_sse(event) for event in events]
    return Response((*pieces,), content_type="text/event-stream; charset=utf-8", error=_sse(problem))


def _in_frames(response: Response) -> Response:
    """The same events as AWS frames them."""
    pieces = [_frame(piece.partition(b"data: ")[2].strip()) for piece in response.pieces]
    return replace(response, pieces=tuple(pieces), content_type="application/vnd.amazon.eventstream")


def _frame(data: bytes) -> bytes:
    headers = b"\x0b:event-type\x07\x00\x05chunk"
    payload = json.dumps({"bytes": base64.b64encode(data).decode()}).encode()
    lengths = (12 + len(headers) + len(payload) + 4).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    frame = lengths + zlib.crc32(lengths).to_bytes(4, "big") + headers + payload
    return frame + zlib.crc32(frame).to_bytes(4, "big")


def _sse(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
