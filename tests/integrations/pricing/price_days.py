"""Price data as it is published, and days on which it is old."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from aumos_governance.integrations.pricing import price_data

TODAY = datetime.now(timezone.utc).date()


def published(since: date = TODAY, price: str = "3") -> list[dict[str, Any]]:
    """Return price data with one model, in the form that genai-prices publishes."""
    prices = [
        {"prices": {"input_mtok": 1}},
        {"constraint": {"start_date": since.isoformat()}, "prices": {"input_mtok": price, "output_mtok": 12}},
    ]
    return [
        {
            "id": "openai",
            "name": "OpenAI",
            "pricing_urls": [],
            "api_pattern": r"https://api\.openai\.com",
            "model_match": {"starts_with": "gpt-"},
            "models": [{"id": "gpt-next", "match": {"equals": "gpt-next"}, "prices": prices}],
        }
    ]


def days_on(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    later = TODAY + timedelta(days=days)
    monkeypatch.setattr(price_data, "_today", lambda: later)
