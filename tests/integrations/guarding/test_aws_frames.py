from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest

from aumos_governance.integrations.anthropic.calls import PROVIDER
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.guarding.readers import Frames
from aumos_governance.integrations.pricing.prices import Prices

MODEL = "global.anthropic.claude-sonnet-5-5"
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"model": MODEL, "usage": {"input_tokens": 10, "output_tokens": 1}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "\n\n"}},
    {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 30}},
    {"type": "message_stop"},
]


def frame(payload: bytes, headers: bytes = b"\x0b:event-type\x07\x00\x05chunk") -> bytes:
    prelude = (12 + len(headers) + len(payload) + 4).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    head = prelude + zlib.crc32(prelude).to_bytes(4, "big") + headers + payload
    return head + zlib.crc32(head).to_bytes(4, "big")


def frame_of(event: dict[str, Any]) -> bytes:
    return frame(json.dumps({"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abc"}).encode())


def frames() -> Frames:
    paid = PROVIDER.paid(ApiRequest("post", "/v1/messages", {"model": MODEL, "max_tokens": 10}, streamed=True))
    assert paid is not None
    return Frames(paid.meter())


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_events_are_read_however_the_bytes_come_and_pass_as_they_are(size: int) -> None:
    sent = b"".join(frame_of(event) for event in EVENTS)
    reader = frames()
    passed = b"".join(reader.feed(sent[place : place + size]) for place in range(0, len(sent), size))
    assert passed + reader.rest() == sent
    assert reader.ended
    assert reader.response() == {"model": MODEL, "usage": {"input_tokens": 10, "output_tokens": 30}}


def test_a_stream_that_breaks_has_reported_its_input_and_shows_what_arrived() -> None:
    reader = frames()
    reader.feed(frame_of(EVENTS[0]) + frame_of(EVENTS[1]) + frame_of(EVENTS[2])[:-3])
    assert (reader.ended, reader.response()) == (False, {"model": MODEL, "usage": {"input_tokens": 10}})
    seen = reader.seen()
    assert seen is not None
    assert (seen.text, seen.whole) == (2, False)


@pytest.mark.parametrize(
    "sent",
    [
        b"data: {}\n\n" * 10,
        b"\x00" * 40,
        b"\xff" * 40,
        frame(b"no JSON"),
        frame(b'{"bytes": 3}'),
        frame(b'{"bytes": "?"}'),
    ],
)
def test_what_is_no_frame_passes_without_usage(sent: bytes) -> None:
    reader = frames()
    assert reader.feed(sent) == sent
    assert (reader.ended, reader.response()) == (False, None)


def test_the_models_of_bedrock_have_their_own_prices() -> None:
    rates = Prices().rates(MODEL, provider="anthropic", base_url="https://bedrock-runtime.eu-west-1.amazonaws.com")
    assert rates.found
    assert rates.bound(1_000_000, 0) > 0


@pytest.mark.parametrize(
    ("reported", "counted", "output"), [({}, 40, 40), ({"output_tokens": 30}, 30, 30), ({"output_tokens": 30}, 40, 40)]
)
def test_the_metrics_of_bedrock_are_evidence_too(reported: dict[str, int], counted: int, output: int) -> None:
    paid = PROVIDER.paid(ApiRequest("post", "/v1/messages", {"model": MODEL, "max_tokens": 100}, streamed=True))
    assert paid is not None
    meter = paid.meter()
    delta = {"type": "message_delta", "delta": {}, **({"usage": reported} if reported else {})}
    stop = {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"outputTokenCount": counted}}
    for event in (EVENTS[0], delta, stop):
        meter.see(json.dumps(event).encode())
    meter.seen.whole = True
    rates = Prices().rates(MODEL, provider="aws")
    charged = paid.cost(rates, meter.response or {}, meter.seen)
    assert charged.usd == rates.cost({"input_tokens": 10, "output_tokens": output})
    assert charged.estimated == (output != reported.get("output_tokens", output))
