"""A stream's events are read from its bytes, however these are divided and ended."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest

from aumos_governance.integrations.guarding import elements, readers
from aumos_governance.integrations.guarding.readers import Events, Frames
from aumos_governance.integrations.pricing.seen import Seen

USAGE = json.dumps({"usage": {"prompt_tokens": 1}}).encode()


class Kept:
    """A meter that keeps all events, and hides those with usage."""

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.response: dict[str, Any] | None = None
        self.ended = False
        self.seen = Seen()

    def see(self, data: bytes) -> bool:
        self.data.append(data)
        return b"usage" in data


def read(stream: bytes, step: int) -> tuple[list[bytes], bytes]:
    meter = Kept()
    events = Events(meter)
    shown = b"".join(events.feed(stream[start : start + step]) for start in range(0, len(stream), step))
    return meter.data, shown + events.rest()


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_an_event_of_several_lines_is_one(end: bytes, step: int) -> None:
    stream = b"data: a" + end + b"data: b" + end + end + b"data: c" + end + end
    assert read(stream, step) == ([b"a\nb", b"c"], stream)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_last_event_may_end_with_the_stream(step: int) -> None:
    first = b'data: {"id": "x"}\n\n'
    assert read(first + b"data: " + USAGE, step) == ([b'{"id": "x"}', USAGE], first)
    assert read(first + b"data: [DONE]\n", step) == ([b'{"id": "x"}', b"[DONE]"], first + b"data: [DONE]\n")


@pytest.mark.parametrize("step", [1, 1000])
def test_a_stream_may_begin_with_a_byte_order_mark(step: int) -> None:
    stream = codecs.BOM_UTF8 + b'data: {"id": "x"}\n\n'
    assert read(stream, step) == ([b'{"id": "x"}'], stream)


@pytest.mark.parametrize("step", [1, 2, 3, 5, 64, 10_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_an_event_that_is_too_long_passes_unread_in_bounded_memory(
    monkeypatch: pytest.MonkeyPatch, end: bytes, step: int
) -> None:
    monkeypatch.setattr(readers, "_LONGEST", 100)
    first, last = b'data: {"id": "x"}' + end * 2, b"data: " + USAGE + end * 2
    stream = first + b"data: " + b"a" * 5_000 + end * 2 + last
    meter = Kept()
    events = Events(meter)
    shown, kept = b"", 0
    for start in range(0, len(stream), step):
        shown += events.feed(stream[start : start + step])
        kept = max(kept, start + step - len(shown))
    if step < 100:
        assert meter.data == [b'{"id": "x"}', USAGE]
        assert kept <= 100 + 2 * step
        # What has usage is hidden, the rest has passed, and what was seen to arrive is not all that did.
        assert shown + events.rest() == stream.removesuffix(last)
        assert events.seen() is None
        assert events.response() == {"id": "x"}
    else:
        # It was complete when it came.
        assert len(meter.data) == 3
        assert events.seen() is meter.seen


def test_what_reported_its_end_is_known_though_a_part_was_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_LONGEST", 100)
    meter = Kept()
    events = Events(meter)
    assert events.feed(b"data: " + b"a" * 200) == b"data: " + b"a" * 200
    assert events.response() is None
    meter.response, meter.ended = {"usage": {}}, True
    assert events.response() == {"usage": {}}


def test_a_long_event_is_kept_without_copying_it_with_each_chunk() -> None:
    events = Events(Kept())
    events.feed(b"data: x\n\ndata: ")
    kept = events._pending
    for _ in range(100):
        assert events.feed(b"a" * 1_000) == b""
    assert events._pending is kept
    assert len(events.feed(b"\n\n")) == 100_008


def test_a_frame_that_cannot_be_one_leaves_what_arrived_unknown() -> None:
    meter = Kept()
    frames = Frames(meter)
    assert frames.seen() is meter.seen
    meter.response = {"usage": {"output_tokens": 1}}
    assert frames.feed(b"\xff" * 100) == b"\xff" * 100
    assert frames.seen() is None
    assert frames.response() is None


def test_an_element_that_is_too_long_leaves_what_arrived_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "_MOST", 100)
    meter = Kept()
    array = elements.Elements(meter)
    array.feed(b'[{"a": 1},')
    assert array.seen() is meter.seen
    array.feed(b'{"a": "' + b"a" * 200)
    assert array.seen() is None
    assert not array._pending
