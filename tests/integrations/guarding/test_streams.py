"""Events are recognized however the network divides them, and are passed on to the caller unchanged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aumos_governance.errors import LedgerError, NotFoundError
from aumos_governance.integrations.guarding.leftovers import Leftovers
from aumos_governance.integrations.guarding.readers import Events
from aumos_governance.integrations.openai.events import EventMeter, ResponseMeter

WORD = b'data: {"choices":[{"delta":{"content":"word"}}],"usage":null}'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}'
DONE = b"data: [DONE]"
COMMENT = b": keep-alive"
NAMED = b'event: x\ndata: {"a":\ndata: 1}'


def fed(chunks: list[bytes], *, swallow: bool) -> tuple[bytes, EventMeter]:
    meter = EventMeter(swallow=swallow)
    events = Events(meter)
    seen = b"".join(events.feed(chunk) for chunk in chunks)
    return seen + events.rest(), meter


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([WORD, COMMENT, NAMED]), max_size=6),
    st.sampled_from([b"\n\n", b"\r\n\r\n", b"\r\r"]),
    st.lists(st.integers(0, 600), max_size=8),
    st.booleans(),
)
def test_wherever_a_stream_is_cut(words: list[bytes], end: bytes, cuts: list[int], swallow: bool) -> None:
    lines = [event.replace(b"\n", end[: len(end) // 2]) for event in (*words, USAGE, DONE)]
    whole = b"".join(line + end for line in lines)
    places = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    chunks = [whole[start:stop] for start, stop in pairwise(places)]
    seen, meter = fed(chunks, swallow=swallow)
    assert seen == (whole.replace(USAGE + end, b"") if swallow else whole)
    assert meter.ended
    assert meter.response is not None
    assert meter.response["usage"] == {"prompt_tokens": 5, "completion_tokens": 7}


def test_what_is_no_event_yet_is_passed_on_at_the_end() -> None:
    seen, meter = fed([WORD + b"\n\n", b"data: half"], swallow=True)
    assert seen == WORD + b"\n\n" + b"data: half"
    assert not meter.ended


@pytest.mark.parametrize("data", [b"[1]", b"{", b'"usage"', b'{"usage": 3}', b"\xff\xfe"])
def test_events_that_are_none_are_passed_on(data: bytes) -> None:
    assert EventMeter(swallow=True).see(data) is False
    assert ResponseMeter().see(data + b'"response.completed"') is False


def test_a_response_is_known_by_the_event_that_ends_it() -> None:
    meter = ResponseMeter()
    assert meter.see(b'{"type":"response.created","response":{"usage":null}}') is False
    assert (meter.response, meter.ended) == (None, False)
    # Words about it are not it.
    meter.see(b'{"type":"response.output_text.delta","delta":"\\"response.completed\\""}')
    assert not meter.ended
    meter.see(b'{"type":"response.incomplete","response":{"usage":{"input_tokens":1}}}')
    response: Mapping[str, Any] | None = meter.response
    assert (response, meter.ended) == ({"usage": {"input_tokens": 1}}, True)


class Charge:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tries = 0

    def end_now(self) -> None:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)


def test_what_cannot_be_settled_now_is_tried_again() -> None:
    leftovers = Leftovers()
    charges = [Charge(LedgerError("busy")), Charge(NotFoundError("gone"), ValueError()), Charge(ZeroDivisionError())]
    for charge in charges:
        leftovers.opened(charge)
        leftovers.note(charge)
    began = time.monotonic()
    assert leftovers.wait()
    assert time.monotonic() - began < 5
    assert [charge.tries for charge in charges] == [2, 1, 1]
    assert not leftovers._open


def test_what_is_open_at_the_end_is_settled_then() -> None:
    leftovers, open_one, ended = Leftovers(), Charge(), Charge()
    leftovers.opened(open_one)
    leftovers.opened(ended)
    leftovers.ended(ended)
    leftovers.finish()
    assert (open_one.tries, ended.tries) == (1, 0)


def test_what_was_sent_is_looked_after_when_no_response_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aumos_governance.integrations.guarding.leftovers._RESPONDED_AFTER", 1.0)
    leftovers, silent, responded = Leftovers(), Charge(LedgerError("busy")), Charge()
    for charge in (silent, responded):
        leftovers.opened(charge)
        leftovers.sent(charge)
    leftovers.ended(responded)
    deadline = time.monotonic() + 20
    while leftovers._open and time.monotonic() < deadline:
        time.sleep(0.01)
    # The first time it says that it was not recorded, the second time it is.
    assert (silent.tries, responded.tries, leftovers._open, leftovers._sent) == (2, 0, set(), set())


def test_what_was_sent_and_got_no_response_is_looked_after_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aumos_governance.integrations.guarding.leftovers._RESPONDED_AFTER", 20.0)
    leftovers, silent = Leftovers(), Charge()
    leftovers.opened(silent)
    leftovers.sent(silent)
    leftovers.finish()
    assert (silent.tries, leftovers._open) == (1, set())
