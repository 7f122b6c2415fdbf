"""The hold of one call ends once: settled by the response, settled as an estimate, or released."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance.gateway.charges import OpenCharge
from aumos_governance.integrations.guarding.calls import Cost, UsageMissingError
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.integrations.pricing.seen import Seen
from tests.gateway.gateway_server import CALLER

HELD = 5 * 10**8
SOURCE = {"kind": "gateway", "provider": "school"}
RESPONSE = {"id": "r1", "usage": {"prompt_tokens": 3}}


class FakeServiceRequests:
    """Records the posted requests."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, Mapping[str, Any]]] = []

    def post(self, caller: object, op: str, body: Mapping[str, Any]) -> None:
        assert caller is CALLER
        self.posted.append((op, body))


class Paid:
    """A paid call whose response reports its cost, unless it is not ``known``."""

    name = model = "mine"
    quoted = Prices(price={"input_mtok": 1}).rates("mine", provider="openai")

    def __init__(self, *, retrievable: bool = False, known: bool = True) -> None:
        self.retrievable = retrievable
        self._known = known

    def cost(self, rates: object, response: Mapping[str, Any], seen: Seen | None) -> Cost:
        if not self._known:
            raise UsageMissingError
        return Cost(Decimal("0.25"))


class Reader:
    """A reader that has read ``response``, and has ``seen`` what arrived of it."""

    def __init__(self, response: Mapping[str, Any] | None, seen: Seen | None = None) -> None:
        self._respond = response
        self._seen = seen

    def response(self) -> Mapping[str, Any] | None:
        return self._respond

    def seen(self) -> Seen | None:
        return self._seen


@pytest.fixture
def requests() -> FakeServiceRequests:
    return FakeServiceRequests()


def charge(requests: FakeServiceRequests, **paid: bool) -> OpenCharge:
    return OpenCharge(requests, CALLER, "h1", HELD, Paid(**paid), lambda id: f"openai/{id}", SOURCE)  # type: ignore[arg-type]


def settle(amount: str, *, estimated: bool, **more: Any) -> tuple[str, Mapping[str, Any]]:
    return "settle", {"hold_id": "h1", "amount": amount, "estimated": estimated, "source": SOURCE, **more}


USED = {"usage": {"prompt_tokens": 3}}


def test_a_response_costs_what_it_reports(requests: FakeServiceRequests) -> None:
    made = charge(requests, retrievable=True)
    assert made.open
    made.settle(Reader(RESPONSE))  # type: ignore[arg-type]
    assert not made.open
    assert requests.posted == [settle("0.25", estimated=False, **USED)]


def test_a_response_that_reports_nothing_is_an_estimate(requests: FakeServiceRequests) -> None:
    charge(requests, known=False).settle(Reader(None))  # type: ignore[arg-type]
    assert requests.posted == [settle("0.5", estimated=True)]


@pytest.mark.parametrize(("id", "reference"), [("r1", {"reference": "openai/r1"}), ("", {}), (7, {}), (None, {})])
def test_an_estimate_is_named_where_its_response_can_be_retrieved(
    requests: FakeServiceRequests, id: object, reference: dict[str, str]
) -> None:
    response = {"id": id, **USED}
    charge(requests, retrievable=True, known=False).settle(Reader(response))  # type: ignore[arg-type]
    charge(requests, retrievable=False, known=False).settle(Reader(response))  # type: ignore[arg-type]
    assert requests.posted == [
        settle("0.5", estimated=True, **USED, **reference),
        settle("0.5", estimated=True, **USED),
    ]


def test_an_estimate_of_a_call_that_has_no_later_responses_is_not_named(requests: FakeServiceRequests) -> None:
    made = charge(requests, known=False)
    del made.paid.retrievable  # type: ignore[attr-defined] # most kinds of calls have no such attribute
    made.settle(Reader(RESPONSE))  # type: ignore[arg-type]
    assert requests.posted == [settle("0.5", estimated=True, **USED)]


def test_a_sent_call_without_a_response_has_no_name(requests: FakeServiceRequests) -> None:
    charge(requests, retrievable=True).estimate()
    assert requests.posted == [settle("0.5", estimated=True)]


def test_a_response_that_broke_off_is_an_estimate_of_what_was_seen(requests: FakeServiceRequests) -> None:
    charge(requests).settle_partly(Reader(RESPONSE, Seen(text=3)))  # type: ignore[arg-type]
    charge(requests).settle_partly(Reader(None))  # type: ignore[arg-type]
    assert requests.posted == [settle("0.25", estimated=True, **USED), settle("0.5", estimated=True)]


def test_what_is_left_is_an_estimate_once_it_was_sent_and_else_is_released(requests: FakeServiceRequests) -> None:
    unsent, sent = charge(requests), charge(requests)
    sent.sent = True
    unsent.abandon()
    sent.abandon()
    assert requests.posted == [("release", {"hold_id": "h1"}), settle("0.5", estimated=True)]


@pytest.mark.parametrize("first", ["settle", "estimate", "release", "abandon"])
def test_a_second_end_changes_nothing(requests: FakeServiceRequests, first: str) -> None:
    made = charge(requests)
    ends = {
        "settle": lambda: made.settle(Reader(RESPONSE)),  # type: ignore[arg-type]
        "partly": lambda: made.settle_partly(Reader(RESPONSE)),  # type: ignore[arg-type]
        "estimate": made.estimate,
        "release": made.release,
        "abandon": made.abandon,
    }
    ends[first]()
    assert not made.open
    for end in ends.values():
        end()
    assert len(requests.posted) == 1


@pytest.mark.parametrize("place", ["usage", "usageMetadata"])
def test_the_counts_of_a_response_are_on_record(requests: FakeServiceRequests, place: str) -> None:
    counts = {
        "in": 3,
        "none": 0,
        "flag": True,
        "text": "3",
        "less": -1,
        "huge": 1 << 53,
        "large": (1 << 53) - 1,
        "a b": 1,
    }
    charge(requests).settle(Reader({place: {**counts, "details": {"cached": 2, "deeper": {"x": 1}}}}))  # type: ignore[arg-type]
    assert requests.posted == [
        settle("0.25", estimated=False, usage={"in": 3, "large": (1 << 53) - 1, "details.cached": 2})
    ]


def test_of_many_counts_some_are_on_record_and_of_none_none(requests: FakeServiceRequests) -> None:
    charge(requests).settle(Reader({"usage": {f"c{number}": 1 for number in range(40)}}))  # type: ignore[arg-type]
    charge(requests).settle(Reader({"usage": {"in": 0}}))  # type: ignore[arg-type]
    charge(requests).settle(Reader({"usage": 5}))  # type: ignore[arg-type]
    assert [len(body.get("usage", ())) for _, body in requests.posted] == [32, 0, 0]
    assert "usage" not in requests.posted[1][1]
