"""Requests to Gemini, its responses, and their costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from genai_prices import extract_usage

from aumos_governance.integrations.google.calls import PROVIDER
from aumos_governance.integrations.guarding.calls import ApiRequest, Cost, StreamedPaid, is_streamed
from aumos_governance.integrations.pricing.prices import Prices, Rates
from aumos_governance.integrations.pricing.seen import Seen

# By genai-prices: $0.30 in, $2.50 out, $0.03 from the cache, $1 for sound, $0.10 for cached sound; per million.
MODEL = "gemini-2.5-flash"
# $1.25 in and $10 out, $2.50 and $15 above 200,000 tokens of input.
PRO = "gemini-2.5-pro"
# $0.50 in, $3 out, $14 for a thousand searches.
THREE = "gemini-3-flash-preview"
ADDRESS = "https://generativelanguage.googleapis.com"
MILLION = Decimal(1_000_000)
HELLO = [{"role": "user", "parts": [{"text": "What is six times seven?"}]}]
TEXT = "The answer is forty-two."
USED: dict[str, Any] = {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100}


def rates(model: str = MODEL, address: str = ADDRESS) -> Rates:
    """The list prices of a model."""
    return Prices().rates(model, provider="google", base_url=address)


def generate(model: str = MODEL, method: str = "generateContent", path: str = "", **body: Any) -> StreamedPaid:
    """The paid call of a request."""
    requested = ApiRequest("post", path or f"/v1beta/models/{model}:{method}", {"contents": HELLO, **body})
    paid = PROVIDER.paid(requested)
    assert paid is not None
    assert is_streamed(paid)
    return paid


def held(model: str = MODEL, **body: Any) -> Decimal:
    """The amount held for a request."""
    return generate(model, **body).worst(rates(model))


def response(usage: Any = None, *, parts: Any = None, **more: Any) -> dict[str, Any]:
    """A whole response."""
    content = {"role": "model", "parts": [{"text": TEXT}] if parts is None else parts}
    stated = {} if usage is None else {"usageMetadata": usage}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0}], **stated, **more}


def cost(usage: Any, model: str = MODEL, *, parts: Any = None, body: Any = None, **more: Any) -> Cost:
    """The cost of a call by its whole response."""
    return generate(model, **(body or {})).cost(rates(model), response(usage, parts=parts, **more))


def listed(usage: Any, model: str = MODEL) -> Decimal:
    """The cost that genai-prices computes for a usage report."""
    return extract_usage({"modelVersion": model, "usageMetadata": usage}, provider_id="google").calc_price().total_price


SEEN = Seen(text=len(TEXT), whole=True)
