"""Gemini's streams, as events and as an array: the last usage applies; a broken stream is charged by what arrived."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aumos_governance.integrations.google.events import ResponseMeter
from aumos_governance.integrations.guarding.calls import Cost, UsageMissingError
from aumos_governance.integrations.guarding.elements import Elements
from aumos_governance.integrations.guarding.readers import Events
from tests.integrations.google.gemini import MILLION, MODEL, THREE, USED, generate, listed, rates

IN, OUT = Decimal("0.3") / MILLION, Decimal("2.5") / MILLION


def piece(text: str, usage: Any = None, *, last: bool = False, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, **({"finishReason": "STOP"} if last else {})}
    stated = {} if usage is None else {"usageMetadata": usage}
    return {"candidates": [{**candidate, **more}], **stated, "modelVersion": MODEL}


def so_far(output: int, thoughts: int = 0) -> dict[str, int]:
    total = 1000 + output + thoughts
    used = {"promptTokenCount": 1000, "candidatesTokenCount": output, "totalTokenCount": total}
    return {**used, "thoughtsTokenCount": thoughts} if thoughts else used


PIECES = [
    piece("The answer ", so_far(4, 30)),
    piece('is {"forty": [two]}\\', so_far(9, 30)),
    piece("", so_far(12, 30), last=True),
]
COST = Cost(listed(so_far(12, 30)))


def events(pieces: Any, end: str = "\r\n\r\n") -> bytes:
    return b"".join(f"data: {json.dumps(each)}{end}".encode() for each in pieces)


def array(pieces: Any) -> bytes:
    return b"[" + b"\n,\r\n".join(json.dumps(each, indent=2).encode() for each in pieces) + b"\n]\n"


def settled(reader: Any, data: bytes, step: int, *, whole: bool = True, **body: Any) -> Cost:
    shown = b"".join(reader.feed(data[place : place + step]) for place in range(0, len(data), step))
    assert shown + reader.rest() == data
    seen = reader.seen()
    seen.whole = whole
    return generate(method="streamGenerateContent", **body).cost(rates(), reader.response() or {}, seen)


@pytest.mark.parametrize("step", [1, 7, 64, 10_000])
@pytest.mark.parametrize("end", ["\r\n\r\n", "\n\n"])
def test_the_last_usage_of_the_events_is_charged(step: int, end: str) -> None:
    assert settled(Events(ResponseMeter(hidden=True)), events(PIECES, end), step) == COST


@pytest.mark.parametrize("step", [1, 7, 64, 10_000])
def test_the_last_usage_of_an_array_is_charged(step: int) -> None:
    assert settled(Elements(ResponseMeter(hidden=True)), array(PIECES), step) == COST


@given(st.lists(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=3), max_size=5), st.integers(1, 9))
def test_each_element_is_read_once_and_as_it_is(elements: list[Any], step: int) -> None:
    read: list[Any] = []

    class Noting(ResponseMeter):
        def see(self, data: bytes) -> bool:
            read.append(json.loads(data))
            return False

    reader, data = Elements(Noting(hidden=True)), array(elements)
    for place in range(0, len(data), step):
        reader.feed(data[place : place + step])
    assert read == elements


def test_an_object_in_place_of_an_array_is_one_element() -> None:
    assert settled(Elements(ResponseMeter(hidden=True)), json.dumps(PIECES[-1]).encode(), 5) == COST


@pytest.mark.parametrize("data", [b"]}{[[{", b'"abc', b"[1, 2, null]", b"\x00\xff", b'[{"a": "\\'])
def test_what_is_no_array_of_objects_breaks_nothing(data: bytes) -> None:
    reader = Elements(ResponseMeter(hidden=True))
    assert b"".join(reader.feed(data[place : place + 1]) for place in range(len(data))) == data
    assert reader.response() is None


def test_a_long_text_is_read_once() -> None:
    reader = Elements(ResponseMeter(hidden=True))
    image = {"inlineData": {"mimeType": "image/png", "data": "x" * 3_000_000}}
    data = array([{"candidates": [{"content": {"parts": [image]}}]}])
    for place in range(0, len(data), 1_000):
        reader.feed(data[place : place + 1_000])
    seen = reader.seen()
    assert seen is not None
    assert seen.media == 3_000_000


@pytest.mark.parametrize(
    ("query", "array"), [("?alt=sse", False), ("?key=x&alt=sse", False), ("", True), ("?alt=json", True)]
)
def test_the_path_says_how_a_stream_arrives(query: str, array: bool) -> None:
    path = f"/v1beta/models/{MODEL}:streamGenerateContent{query}"
    assert getattr(generate(path=path), "sends_array", None) is array
    assert getattr(generate(), "sends_array", None) is False


def test_usage_after_the_last_content_counts() -> None:
    late = [piece("The answer", last=True), {"usageMetadata": so_far(12, 30)}]
    assert settled(Events(ResponseMeter(hidden=True)), events(late), 50) == COST


def test_a_report_that_leaves_out_what_an_earlier_one_had_takes_nothing_back() -> None:
    pieces = [{"usageMetadata": {"trafficType": "ON_DEMAND"}}, *PIECES, {"usageMetadata": {"trafficType": "ON_DEMAND"}}]
    assert settled(Events(ResponseMeter(hidden=True)), events(pieces), 50) == COST


def test_a_blocked_prompt_costs_its_input() -> None:
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10},
    }
    assert settled(Events(ResponseMeter(hidden=True)), events([blocked]), 50) == Cost(10 * IN)


def test_what_the_pieces_were_grounded_with_is_added_up() -> None:
    meter = ResponseMeter(hidden=True)
    one = {"groundingMetadata": {"webSearchQueries": ["a", "b"]}}
    two = {"groundingMetadata": {"webSearchQueries": ["b", "c", ""]}}
    for each in (piece("The", so_far(4), **one), piece(" answer", so_far(9), **two), piece("", USED, last=True)):
        meter.see(json.dumps({**each, "modelVersion": THREE}).encode())
    meter.seen.whole = True
    paid = generate(THREE, method="streamGenerateContent", tools=[{"googleSearch": {}}])
    expected = Cost(listed(USED, THREE) + 3 * Decimal("0.014"))
    assert paid.cost(rates(THREE), meter.response or {}, meter.seen) == expected


LIMIT: dict[str, Any] = {"generationConfig": {"maxOutputTokens": 500}}
PLAIN: dict[str, Any] = {"generationConfig": {"maxOutputTokens": 500, "thinkingConfig": {"thinkingBudget": 0}}}


class TestBrokenOff:
    def cost(self, *pieces: Any, whole: bool = False, hidden: bool = True, **body: Any) -> Cost:
        return settled(Events(ResponseMeter(hidden=hidden)), events(pieces), 50, whole=whole, **body)

    def test_it_is_charged_as_reported_once_the_response_has_begun(self) -> None:
        assert self.cost(*PIECES[:2], **LIMIT) == Cost(listed(so_far(9, 30)), estimated=True)

    def test_a_stream_that_ends_without_a_reason_has_broken_off(self) -> None:
        assert self.cost(*PIECES[:2], whole=True, **LIMIT) == Cost(listed(so_far(9, 30)), estimated=True)
        error = {"error": {"code": 500, "message": "x", "status": "INTERNAL"}}
        assert self.cost(*PIECES[:2], error, whole=True, **LIMIT).estimated

    def test_thoughts_that_go_on_may_be_as_long_as_the_limit(self) -> None:
        thinking = {"candidates": [], "usageMetadata": {"promptTokenCount": 1000, "thoughtsTokenCount": 30}}
        found = self.cost(thinking, **LIMIT)
        assert found.estimated
        assert found.usd == generate(**LIMIT).worst(rates())

    def test_without_thoughts_no_more_than_was_seen_is_charged(self) -> None:
        found = self.cost(piece("The answer"), hidden=False, **PLAIN)
        assert found.estimated
        assert 10 * OUT < found.usd < 10 * OUT + 300 * IN

    def test_a_shown_thought_is_output_that_was_seen(self) -> None:
        thought = {"candidates": [{"content": {"parts": [{"text": "Forty-two?", "thought": True}]}}]}
        shown, both = (self.cost(*each, hidden=False, **PLAIN) for each in ([thought], [thought, piece("The answer")]))
        assert shown.usd == self.cost(piece("The answer"), hidden=False, **PLAIN).usd
        assert both.usd - shown.usd == 10 * OUT

    def test_an_image_that_breaks_off_may_be_as_long_as_the_limit(self) -> None:
        image = {"candidates": [{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "x"}}]}}]}
        found = self.cost({**image, "usageMetadata": so_far(9)}, hidden=False, **PLAIN)
        assert found == Cost(generate(**PLAIN).worst(rates()), estimated=True)

    def test_nothing_reported_of_a_model_that_thinks_is_charged_as_held(self) -> None:
        found = self.cost(piece("The answer"), **LIMIT)
        assert found == Cost(generate(**LIMIT).worst(rates()), estimated=True)

    def test_what_was_searched_until_then_is_not_reported(self) -> None:
        with pytest.raises(UsageMissingError):
            self.cost(*PIECES[:2], tools=[{"googleSearch": {}}], **LIMIT)

    @pytest.mark.parametrize(
        ("config", "model", "hidden"),
        [
            ({}, MODEL, True),
            ({"thinkingConfig": {"thinkingBudget": 0}}, MODEL, False),
            ({"thinking_config": {"thinking_budget": 0}}, MODEL, False),
            ({"thinkingConfig": {"thinkingBudget": -1}}, MODEL, True),
            ({}, "gemini-2.0-flash", False),
        ],
    )
    def test_whether_thoughts_may_be_hidden_is_known_from_the_request(
        self, config: Any, model: str, hidden: bool
    ) -> None:
        assert generate(model, generationConfig=config).meter().seen.hidden is hidden
