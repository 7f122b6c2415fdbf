"""OpenAI's wire format: the response for each path, and the form of errors."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

from . import openai_chat, openai_response, openai_usage
from .openai_events import CREATED, error_event, sse
from .replies import Reply
from .requests import Received
from .responses import NotServedError, Response, identifier, json_response

MODELS = ("gpt-4o", "gpt-4o-mini", "text-embedding-3-small")
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
_ERRORS = {400: "invalid_request_error", 401: "invalid_request_error", 429: "rate_limit_error"}
_MAKERS = {
    "/chat/completions": openai_chat.chat,
    "/completions": openai_chat.completion,
    "/responses": openai_response.response,
    "/responses/input_tokens": lambda received, reply: json_response(
        {"object": "response.input_tokens", "input_tokens": getattr(reply.usage, "input", 0)}
    ),
}


def response(received: Received, reply: Reply) -> Response:
    """Respond as OpenAI's server does. Raises NotServedError for a path that it has not."""
    path = received.path.partition("?")[0]
    if received.method == "GET":
        return _listed(path)
    # The longest path is first, since "/chat/completions" ends like "/completions".
    for end in sorted({**_MAKERS, **_MEDIA}, key=len, reverse=True):
        if path.endswith(end):
            return ({**_MAKERS, **_MEDIA}[end])(received, reply)
    raise NotServedError(path)


def error(status: int) -> Response:
    message = {429: "Rate limit reached.", 500: "The server had an error."}.get(status, f"Refused with {status}.")
    body = {"error": {"message": message, "type": _ERRORS.get(status, "server_error"), "param": None, "code": None}}
    return json_response(body, status=status)


def _listed(path: str) -> Response:
    models = [{"id": name, "object": "model", "created": CREATED, "owned_by": "openai"} for name in MODELS]
    if path.endswith("/models"):
        return json_response({"object": "list", "data": models})
    if "/models/" in path:
        return json_response({**models[0], "id": path.rpartition("/")[2]})
    raise NotServedError(path)


def _embeddings(received: Received, reply: Reply) -> Response:
    requested = received.json
    vector = [0.25, -0.5, 0.125]
    packed = base64.b64encode(struct.pack("<3f", *vector)).decode()
    inputs = requested["input"]
    count = len(inputs) if isinstance(inputs, list) and not isinstance(inputs[0], int) else 1
    embedding = packed if requested.get("encoding_format") == "base64" else vector
    body: dict[str, Any] = {
        "object": "list",
        "data": [{"object": "embedding", "index": place, "embedding": embedding} for place in range(count)],
        "model": reply.model or requested["model"],
    }
    usage = openai_usage.of_embedding(reply)
    return json_response(body if usage is None else {**body, "usage": usage})


def _images(received: Received, reply: Reply) -> Response:
    requested, usage = received.json, openai_usage.of_image(reply)
    count = int(requested.get("n") or 1)
    if requested.get("stream"):
        final = {
            "b64_json": PIXEL,
            "created_at": CREATED,
            "size": "1024x1024",
            "quality": "low",
            "output_format": "png",
        }
        partial = {"type": "image_generation.partial_image", "partial_image_index": 0, **final}
        done = {"type": "image_generation.completed", **final, **({} if usage is None else {"usage": usage})}
        return _events([partial, done], named=True)
    body: dict[str, Any] = {"created": CREATED, "data": [{"b64_json": PIXEL}] * count}
    return json_response(body if usage is None else {**body, "usage": usage})


def _speech(received: Received, reply: Reply) -> Response:
    return Response((b"ID3" + reply.text.encode(),), content_type="audio/mpeg")


def _transcription(received: Received, reply: Reply) -> Response:
    usage = openai_usage.of_transcription(reply)
    stated = {} if usage is None else {"usage": usage}
    if received.json.get("stream"):
        deltas: list[dict[str, Any]] = [{"type": "transcript.text.delta", "delta": word} for word in reply.words]
        return _events([*deltas, {"type": "transcript.text.done", "text": reply.text, **stated}], named=False)
    if received.json.get("response_format") == "text":
        return Response((reply.text.encode(),), content_type="text/plain; charset=utf-8")
    return json_response({"text": reply.text, **stated})


def _moderation(received: Received, reply: Reply) -> Response:
    result = {"flagged": False, "categories": {}, "category_scores": {}, "category_applied_input_types": {}}
    return json_response({"id": identifier("modr-", received), "model": "omni-moderation", "results": [result]})


def _events(events: list[dict[str, Any]], *, named: bool) -> Response:
    pieces = [sse(json.dumps(event), event["type"] if named else None) for event in events]
    return Response((*pieces,), content_type="text/event-stream", error=error_event())


_MEDIA = {
    "/embeddings": _embeddings,
    "/images/generations": _images,
    "/images/edits": _images,
    "/audio/speech": _speech,
    "/audio/transcriptions": _transcription,
    "/audio/translations": _transcription,
    "/moderations": _moderation,
}
