"""What of OpenAI's responses and events is visible: a usage report that states less is not believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aumos_governance.integrations.openai.events import ResponseMeter
from aumos_governance.integrations.openai.seen import see_chat, see_response, shows_all
from aumos_governance.integrations.pricing.seen import Seen
from aumos_governance.integrations.pricing.usage import weight

TEXT = "Six times seven is forty-two."
WEIGHT = weight(TEXT)


def chat(message: dict[str, Any]) -> Seen:
    seen = Seen()
    see_chat({"choices": ["no choice", {"message": message}]}, seen)
    return seen


def output(*items: Any) -> Seen:
    seen = Seen()
    see_response({"output": ["no item", *items]}, seen)
    return seen


@pytest.mark.parametrize(
    ("message", "seen"),
    [
        ({"content": TEXT}, Seen(text=WEIGHT)),
        ({"content": [{"type": "text", "text": TEXT}, "no part"]}, Seen(text=WEIGHT)),
        ({"role": "assistant", "content": None, "refusal": TEXT}, Seen(text=WEIGHT)),
        ({"role": "assistant", "content": TEXT, "reasoning_content": TEXT}, Seen(text=WEIGHT, reasoning=WEIGHT)),
        ({"role": "assistant", "content": TEXT, "reasoning": TEXT}, Seen(text=WEIGHT, reasoning=WEIGHT)),
        ({"tool_calls": [{"function": {"name": TEXT, "arguments": TEXT}}]}, Seen(tools=2 * WEIGHT)),
        ({"tool_calls": [{"custom": {"name": TEXT, "input": TEXT}}, "no call"]}, Seen(tools=2 * WEIGHT)),
        ({"function_call": {"name": TEXT, "arguments": TEXT}}, Seen(tools=2 * WEIGHT)),
        ({"audio": {"data": TEXT}}, Seen(media=WEIGHT)),
        ({"role": "assistant", "content": None, "images": [{"type": "image_url"}]}, Seen(media=1)),
    ],
)
def test_all_that_a_chat_shows_counts(message: dict[str, Any], seen: Seen) -> None:
    assert chat(message) == seen


def test_a_text_completion_shows_its_text() -> None:
    seen = Seen()
    see_chat({"choices": [{"text": TEXT}]}, seen)
    assert seen == Seen(text=WEIGHT)


@pytest.mark.parametrize(
    ("item", "seen"),
    [
        ({"type": "message", "content": [{"text": TEXT}, {"refusal": TEXT}]}, Seen(text=2 * WEIGHT)),
        ({"type": "reasoning", "content": [{"text": TEXT}], "summary": [{"text": TEXT}]}, Seen(reasoning=2 * WEIGHT)),
        ({"type": "image_generation_call", "result": TEXT}, Seen(media=WEIGHT)),
        ({"type": "function_call", "name": TEXT, "arguments": TEXT}, Seen(tools=2 * WEIGHT)),
        ({"type": "custom_tool_call", "name": TEXT, "input": TEXT}, Seen(tools=2 * WEIGHT)),
    ],
)
def test_all_that_a_response_shows_counts(item: dict[str, Any], seen: Seen) -> None:
    assert output(item) == seen


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("response.output_text.delta", Seen(text=len(TEXT))),
        ("response.refusal.delta", Seen(text=len(TEXT))),
        ("response.reasoning_summary_text.delta", Seen(reasoning=len(TEXT))),
        ("response.function_call_arguments.delta", Seen(tools=len(TEXT))),
        ("response.custom_tool_call_input.delta", Seen(tools=len(TEXT))),
        ("response.audio.delta", Seen(media=len(TEXT))),
    ],
)
def test_all_that_an_event_shows_counts(kind: str, seen: Seen) -> None:
    meter = ResponseMeter()
    meter.see(json.dumps({"type": kind, "delta": TEXT}).encode())
    meter.see(json.dumps({"type": kind, "delta": {"text": TEXT}}).encode())
    assert meter.seen == seen
    assert not meter.ended
    meter.see(b"[DONE]")
    assert meter.ended


@pytest.mark.parametrize(("model", "all_of_it"), [("gpt-4o-mini", True), ("ft:gpt-4.1:me", True), ("o3", False)])
def test_some_models_reason_unseen(model: str, all_of_it: bool) -> None:
    assert shows_all(model) is all_of_it
