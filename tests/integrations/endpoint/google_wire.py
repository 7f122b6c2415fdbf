"""Gemini's wire format: the response for each path, and the form of errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .replies import Reply, Tokens
from .requests import Received
from .responses import NotServedError, Response, identifier, json_response

MODELS = ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001")
_TARGET = re.compile(r"/v\w+/(?:.+/)?models/(?P<model>[\w.-]+):(?P<method>\w+)$")
_STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


def speaks(received: Received) -> bool:
    """Whether a request is of this format."""
    return _TARGET.search(received.path.partition("?")[0]) is not None or "x-goog-api-key" in received.headers


def response(received: Received, reply: Reply) -> Response:
    """Respond as Google's server does. Raises NotServedError for a path that it has not."""
    path, _, query = received.path.partition("?")
    if received.method == "GET":
        return _listed(path)
    found = _TARGET.search(path)
    if found is None:
        raise NotServedError(path)
    model, method = reply.model or found["model"], found["method"]
    if method == "generateContent":
        return json_response(_whole(received, reply, model))
    if method == "streamGenerateContent":
        pieces = list(_pieces(received, reply, model))
        return _events(pieces) if "alt=sse" in query else _array(pieces)
    if method == "countTokens":
        return json_response({"totalTokens": getattr(reply.usage, "input", 0)})
    if method in ("embedContent", "batchEmbedContents"):
        return json_response(_embedded(received, reply, method))
    raise NotServedError(path)


def error(status: int) -> Response:
    """An error of Google's."""
    message = {429: "Quota exceeded.", 500: "An internal error has occurred."}.get(status, f"Refused with {status}.")
    body = {"error": {"code": status, "message": message, "status": _STATUS.get(status, "INTERNAL")}}
    return json_response(body, status=status)


def _listed(path: str) -> Response:
    models = [{"name": f"models/{name}", "supportedGenerationMethods": ["generateContent"]} for name in MODELS]
    if path.endswith("/models"):
        return json_response({"models": models})
    if "/models/" in path:
        return json_response({**models[0], "name": f"models/{path.rpartition('/')[2]}"})
    raise NotServedError(path)


def _usage(reply: Reply, words: int | None = None) -> dict[str, Any]:
    """The usage after this number of words, or the whole usage for None."""
    used = reply.usage
    if not isinstance(used, Tokens):
        return {} if used is None else {"usageMetadata": dict(used)}
    output = used.output if words is None else min(words, used.output)
    counts = {
        "promptTokenCount": used.input,
        "candidatesTokenCount": output,
        "thoughtsTokenCount": used.reasoning,
        "cachedContentTokenCount": used.cached,
        "totalTokenCount": used.input + output + used.reasoning,
    }
    # Google leaves out counts of 0.
    return {"usageMetadata": {name: count for name, count in counts.items() if count}}


def _response(received: Received, model: str, parts: Any, reason: str | None, usage: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], **usage, "modelVersion": model, "responseId": identifier("response-", received)}


def _calls(reply: Reply) -> list[Any]:
    return [{"functionCall": {"name": call.name, "args": dict(call.arguments)}} for call in reply.tool_calls]


def _whole(received: Received, reply: Reply, model: str) -> dict[str, Any]:
    parts = _calls(reply) or [{"text": reply.text}]
    return _response(received, model, parts, "STOP", _usage(reply))


def _pieces(received: Received, reply: Reply, model: str) -> Iterator[dict[str, Any]]:
    if reply.tool_calls:
        yield _response(received, model, _calls(reply), None, _usage(reply, 1))
    else:
        for place, word in enumerate(reply.words):
            yield _response(received, model, [{"text": word}], None, _usage(reply, place + 1))
    yield _response(received, model, [{"text": ""}], "STOP", _usage(reply))


def _events(pieces: list[dict[str, Any]]) -> Response:
    failed = json.dumps({"error": {"code": 500, "message": "An internal error has occurred.", "status": "INTERNAL"}})
    sent = tuple(f"data: {json.dumps(piece)}\r\n\r\n".encode() for piece in pieces)
    return Response(sent, content_type="text/event-stream", error=f"data: {failed}\r\n\r\n".encode())


def _array(pieces: list[dict[str, Any]]) -> Response:
    first, *others = (json.dumps(piece, indent=2).encode() for piece in pieces)
    return Response((b"[" + first, *(b"\n,\r\n" + piece for piece in others), b"\n]\n"))


def _embedded(received: Received, reply: Reply, method: str) -> dict[str, Any]:
    usage = _usage(reply) and {"usageMetadata": {"promptTokenCount": getattr(reply.usage, "input", 0)}}
    if method == "embedContent":
        return {"embedding": {"values": [0.25, -0.5]}, **usage}
    return {"embeddings": [{"values": [0.25, -0.5]}] * len(received.json["requests"]), **usage}
