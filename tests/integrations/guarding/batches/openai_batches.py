"""Batches of OpenAI: their requests, results and prices."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.integrations.till import priced

__all__ = ["BATCH", "HALF", "batch", "chat", "chat_cost", "chat_result", "lines"]

HALF = Decimal("0.5")
BATCH: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h", "input_file_id": "file_in"}


def lines(*reported: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in reported)


def chat(id: str, model: str = "gpt-4o", **body: Any) -> dict[str, Any]:
    requested = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 100, **body}
    return {"custom_id": id, "method": "POST", "url": "/v1/chat/completions", "body": requested}


def chat_result(id: str, output: int = 20, status: int = 200, model: str = "gpt-4o", **body: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": output, "total_tokens": 10 + output}
    response = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    return {"custom_id": id, "response": {"status_code": status, "body": {**response, "usage": usage, **body}}}


def batch(status: str = "completed", **fields: Any) -> dict[str, Any]:
    reported = {"id": "batch_1", "object": "batch", "created_at": 1, **BATCH, "status": status}
    return reported | {"output_file_id": "file_out" if status == "completed" else None} | fields


def chat_cost(output: int = 20, model: str = "gpt-4o") -> Decimal:
    return priced(model, {"input_tokens": 10, "output_tokens": output})
