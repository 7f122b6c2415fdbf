"""A batch of Anthropic's is held at half the prices of tokens, and charged by its results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from anthropic import Anthropic

from aumos_governance import GovernanceEngine, govern
from aumos_governance.integrations.anthropic.calls import PROVIDER
from aumos_governance.integrations.guarding.calls import ApiRequest, Paid
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.wire import http

MODEL = "claude-opus-5-5"
OLD = "claude-3-haiku-20240307"
USAGE = {"input_tokens": 1000, "output_tokens": 100, "service_tier": "batch", "inference_geo": "global"}
COST = (1000 * 4 + 100 * 20) / Decimal(2_000_000)


def params(model: str = MODEL, **more: Any) -> dict[str, Any]:
    stated = [{"role": "user", "content": "hello"}]
    return {"model": model, "max_tokens": 100, "messages": stated, "inference_geo": "global", **more}


def paid(path: str, body: dict[str, Any]) -> Paid:
    found = PROVIDER.paid(ApiRequest("post", path, body))
    assert found is not None
    return found


@pytest.mark.parametrize("model", [MODEL, OLD])
def test_is_held_at_half_the_price_of_tokens(model: str) -> None:
    rates = Prices().rates(model, provider="anthropic")
    single = paid("/v1/messages", params(model)).worst(rates)
    requests = [{"custom_id": name, "params": params(model)} for name in ("a", "b")]
    assert paid("/v1/messages/batches", {"requests": requests}).worst(rates) == single


def test_is_held_at_the_whole_fee_of_a_search() -> None:
    rates = Prices().rates(MODEL, provider="anthropic")
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 10}
    request = {"custom_id": "a", "params": params(tools=[tool])}
    assert paid("/v1/messages/batches", {"requests": [request]}).worst(rates) > Decimal("0.1") + Decimal(2)


class Batch:
    """Anthropic's server for one batch, in this process."""

    def __init__(self) -> None:
        self.engine = GovernanceEngine()
        self.engine.budget.create_budget("llm", 10)
        self.results: list[dict[str, Any]] = []

    def client(self) -> Anthropic:
        transport = http.MockTransport(self._respond)
        plain = Anthropic(api_key="k", http_client=http.Client(transport=transport))
        return govern(plain, engine=self.engine, budget_category="llm")

    @property
    def balance(self) -> tuple[Decimal, bool]:
        """The spent amount, and whether anything is held."""
        balance = self.engine.budget.balance("llm")
        return balance.spent, balance.held > 0

    def _respond(self, request: Any) -> Any:
        if request.url.path.endswith("/results"):
            lines = b"".join(json.dumps(result).encode() + b"\n" for result in self.results)
            return http.Response(200, content=lines, headers={"content-type": "application/x-jsonl"})
        counts = {"processing": 0, "succeeded": 2, "errored": 0, "canceled": 0, "expired": 0}
        status = "in_progress" if request.method == "POST" else "ended"
        return http.Response(
            200,
            json={
                "id": "msgbatch_1",
                "type": "message_batch",
                "processing_status": status,
                "request_counts": counts,
                "created_at": "2026-10-01T00:00:00Z",
                "expires_at": "2026-10-02T00:00:00Z",
                "results_url": "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results",
            },
        )


@pytest.fixture
def batch() -> Iterator[Batch]:
    batch = Batch()
    yield batch
    batch.engine.close()


def succeeded(name: str, **usage: Any) -> dict[str, Any]:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {**USAGE, **usage},
    }
    return {"custom_id": name, "result": {"type": "succeeded", "message": message}}


def test_is_charged_when_its_results_are_read(batch: Batch) -> None:
    batch.results = [
        succeeded("a"),
        succeeded("b", inference_geo="us"),
        {"custom_id": "c", "result": {"type": "expired"}},
    ]
    with batch.client() as client:
        made = client.messages.batches.create(
            requests=[{"custom_id": name, "params": params()} for name in ("a", "b", "c")]  # type: ignore[misc]
        )
        assert batch.balance == (0, True)
        client.messages.batches.retrieve(made.id)
        assert batch.balance == (0, True)
        assert len(list(client.messages.batches.results(made.id))) == 3
    assert batch.balance == (COST + COST * Decimal("1.1"), False)
