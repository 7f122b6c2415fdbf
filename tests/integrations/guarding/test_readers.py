"""What a stream's bytes are read as, however they are cut and ended."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest

from aumos_governance.integrations.guarding.readers import Events
from aumos_governance.integrations.pricing.seen import Seen

USAGE = json.dumps({"usage": {"prompt_tokens": 1}}).encode()


class Kept:
    """A meter that keeps what it sees, and hides what has usage."""

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
