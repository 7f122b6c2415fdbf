"""What the events of Anthropic's streams show and report."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aumos_governance.integrations.anthropic.events import CompletionMeter, MessageMeter
from aumos_governance.integrations.pricing.seen import Seen

TEXT = "Six times seven is forty-two."
SIZE = len(TEXT)


def see(meter: Any, *events: Any) -> Any:
    for event in events:
        meter.see(json.dumps(event).encode())
    return meter


def block(**content: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": 0, "content_block": content}


def delta(**content: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": content}


@pytest.mark.parametrize(
    ("events", "seen"),
    [
        ([block(type="text", text=TEXT), delta(type="text_delta", text=TEXT)], Seen(text=2 * SIZE)),
        ([delta(type="thinking_delta", thinking=TEXT)], Seen(reasoning=SIZE)),
        ([block(type="thinking", thinking=TEXT)], Seen(reasoning=SIZE)),
        ([delta(type="input_json_delta", partial_json=TEXT)], Seen(tools=SIZE)),
        ([{"type": "content_block_delta", "delta": TEXT}, {"type": "content_block_start", "content_block": 1}], Seen()),
        # Another model begins anew, and the report is of what it writes.
        ([delta(type="text_delta", text=TEXT), block(type="fallback"), delta(type="text_delta", text=TEXT)],
         Seen(text=SIZE, hidden=True)),
    ],
)  # fmt: skip
def test_all_that_a_message_shows_counts(events: list[Any], seen: Seen) -> None:
    assert see(MessageMeter(), *events).seen == seen


def test_a_report_completes_the_one_before() -> None:
    begun = {"model": "claude", "usage": {"input_tokens": 9, "output_tokens": 1}}
    reports = [{"usage": {"output_tokens": 5, "input_tokens": None}}, {"usage": 7}, {"usage": {"output_tokens": 8}}]
    meter = see(
        MessageMeter(),
        {"type": "message_start", "message": begun},
        *({"type": "message_delta", **report} for report in reports),
    )
    assert (meter.response, meter.ended) == (
        {"model": "claude", "usage": {"input_tokens": 9, "output_tokens": 8}},
        False,
    )
    assert see(meter, {"type": "message_stop"}).ended


def test_a_completion_ends_with_its_reason_and_reports_no_usage() -> None:
    last = {"type": "completion", "completion": TEXT, "stop_reason": "stop_sequence"}
    meter = see(CompletionMeter(), {"type": "completion", "completion": TEXT, "stop_reason": None})
    assert (meter.seen.text, meter.response, meter.ended) == (SIZE, None, False)
    see(meter, last)
    assert (meter.seen.text, meter.response, meter.ended) == (2 * SIZE, last, True)
