"""The wire protocol reads what it wrote, and refuses invalid messages with an error that names the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import InvalidRequestError
from aumos_governance.wire import protocol

SAMPLES = json.loads((Path(__file__).parents[1] / "protocol" / "wire.json").read_text())


@pytest.mark.parametrize("raw", SAMPLES["requests"], ids=lambda raw: raw["id"])
def test_a_request_survives_the_round_trip(raw: dict[str, Any]) -> None:
    request = protocol.parse_request(raw)
    assert request.message() == raw
    assert protocol.parse_requests(json.loads(json.dumps(protocol.requests_message([request])))) == [raw]


def test_the_samples_cover_every_op() -> None:
    assert {raw["op"] for raw in SAMPLES["requests"]} == protocol.OPS == set(SAMPLES["responses"])


@pytest.mark.parametrize("case", SAMPLES["refused"], ids=lambda case: json.dumps(case["request"])[:50])
def test_a_malformed_request_is_refused_with_its_reason(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        protocol.parse_request(case["request"])
    assert case["why"] in caught.value.message
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (None, "an object"),
        ("asks", "an object"),
        ({"asks": []}, "version"),
        ({"v": 2, "asks": []}, "speaks version 1"),
        ({"v": True, "asks": []}, "version"),
        ({"v": 1}, "a list in its field asks"),
        ({"v": 1, "asks": {}}, "a list in its field asks"),
        ({"v": 1, "asks": [{}] * 1001}, "at most 1000"),
    ],
)
def test_a_message_that_cannot_be_used_is_refused_whole(message: object, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        protocol.parse_requests(message)


def test_ids_are_never_cut() -> None:
    with pytest.raises(InvalidRequestError, match="1 to 1000"):
        protocol.parse_request({"id": "x" * 1001, "op": "status", "exp": 1})


def test_responses_that_are_no_objects_are_passed_over() -> None:
    assert protocol.parse_responses({"v": 1, "answers": [{"id": "a", "ok": True}, 7]}) == [{"id": "a", "ok": True}]
