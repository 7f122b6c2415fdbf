"""Each step of one attempt, without a library: its hold is made, reused, released or charged."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.integrations.guarding.attempts import Attempt, Call, Sending
from aumos_governance.integrations.guarding.calls import ApiRequest, Paid, UsageMissingError
from aumos_governance.integrations.guarding.guard import Guard, Outcome
from aumos_governance.integrations.guarding.leftovers import leftovers
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.integrations.pricing.seen import Seen
from aumos_governance.steps import now
from aumos_governance.wire.provider_keys import GATEWAY_ENV
from tests.integrations.chats import COST
from tests.integrations.guarding.attempts.one_attempt import BODY, REQUEST, RefusedError, Way, paid_call, response
from tests.integrations.till import Till


def worst(till: Till) -> Decimal:
    return till.records("hold")[0].amount / Decimal(10**9)


# ---- one attempt after the other


def test_an_attempt_that_another_follows_without_a_response_is_an_estimate(
    call: Call, paid: Paid, attempt: Attempt, till: Till, way: Way
) -> None:
    way(attempt.hold)
    after = Attempt(call, paid, streamed=False, sending=None)
    way(after.hold)
    assert till.events() == ["hold", "estimated", "hold"]
    way(after.responding, response())
    assert till.events() == ["hold", "estimated", "hold", "settle"]
    assert till.spent == worst(till) + COST


def test_an_attempt_after_one_that_was_refused_takes_its_hold_over(
    call: Call, paid: Paid, attempt: Attempt, till: Till, way: Way
) -> None:
    way(attempt.hold)
    call.refused()
    after = Attempt(call, paid, streamed=False, sending=None)
    way(after.hold)
    way(after.responding, response())
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


def test_attempts_side_by_side_end_by_themselves(call: Call, paid: Paid, till: Till, way: Way) -> None:
    sendings = [Sending(streamed=False) for _ in range(3)]
    for sending in sendings:
        way(Attempt(call, paid, streamed=False, sending=sending).hold)
    assert till.events() == ["hold"] * 3
    assert call.last is None
    # The call is over before they are.
    call.close()
    assert till.events() == ["hold"] * 3
    way(sendings[0].responding, response())
    way(sendings[1].failing, ValueError())
    way(sendings[2].failing, RefusedError())
    assert till.events() == ["hold"] * 3 + ["settle", "estimated", "release"]


def test_an_attempt_that_is_left_is_an_estimate(call: Call, paid: Paid, till: Till, way: Way) -> None:
    sending = Sending(streamed=False)
    way(Attempt(call, paid, streamed=False, sending=sending).hold)
    sending.close()
    assert (till.events(), till.spent) == (["hold", "estimated"], worst(till))


def test_where_nothing_was_sent_nothing_ends(till: Till, way: Way) -> None:
    sending = Sending(streamed=True)
    assert sending.streamed
    way(sending.responding, response())
    way(sending.failing, ValueError())
    sending.close()
    assert till.events() == []


# ---- what the library handles


def test_an_error_that_the_library_handles_says_how_the_attempt_ended(
    call: Call, attempt: Attempt, till: Till, way: Way
) -> None:
    call.failed()
    call.refused()
    way(attempt.hold)
    call.failed()
    assert attempt.outcome == Outcome.UNKNOWN
    try:
        raise RefusedError
    except RefusedError:
        call.failed()
    assert attempt.outcome == Outcome.FREE
    call.close()
    assert till.events() == ["hold", "estimated"]


def test_an_error_that_the_caller_handles_already_says_nothing_of_the_attempt(
    guard: Guard, paid: Paid, till: Till, way: Way
) -> None:
    try:
        raise RefusedError
    except RefusedError:
        call = Call(guard, paid, REQUEST, owner=None)
        attempt = Attempt(call, paid, streamed=False, sending=None)
        way(attempt.hold)
        call.failed()
    assert attempt.outcome == Outcome.UNKNOWN
    call.close()
    assert till.events() == ["hold", "estimated"]


@pytest.mark.parametrize(
    "requested",
    [
        ApiRequest("get", "/chat/completions", BODY),
        ApiRequest("post", "/responses", BODY),
        ApiRequest("post", "/chat/completions", {**BODY, "n": 2}),
    ],
)
def test_a_hold_is_for_the_request_of_which_it_was_computed(call: Call, requested: ApiRequest) -> None:
    assert call.is_for("post", "/chat/completions", dict(BODY))
    assert not call.is_for(requested.method, requested.path, requested.body)


# ---- responses


@pytest.mark.parametrize(
    ("status", "event"),
    [(199, "release"), (200, "settle"), (299, "settle"), (300, "release"), (429, "release"), ("odd", "settle")],
)
def test_a_response_outside_of_200_to_299_costs_nothing(
    call: Call, attempt: Attempt, till: Till, way: Way, status: Any, event: str
) -> None:
    way(attempt.hold)
    way(attempt.responding, response(status=status))
    call.close()
    assert till.events() == ["hold", event]


def test_a_response_that_comes_twice_is_charged_once(attempt: Attempt, till: Till, way: Way) -> None:
    way(attempt.hold)
    way(attempt.responding, response())
    way(attempt.responding, response())
    way(attempt.ending)
    attempt.drop()
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


def test_an_attempt_dropped_before_it_holds_charges_nothing(attempt: Attempt, till: Till) -> None:
    attempt.drop()
    attempt.end()
    assert till.events() == []


# ---- a request that goes out more than once


@pytest.mark.parametrize(
    ("chargeable", "events"),
    [(4, ["estimated"] * 3), (3, ["estimated"] * 2 + ["release"]), (2, ["estimated", "release", "release"])]
    + [(number, ["release"] * 3) for number in (1, 0)],
)
def test_of_the_requests_that_went_out_those_without_an_error_response_are_charged(
    attempt: Attempt, till: Till, way: Way, chargeable: int, events: list[str]
) -> None:
    way(attempt.hold)
    for _ in range(3):
        way(attempt.hold_again)
    assert till.events() == ["hold"] * 4
    attempt.sends = SimpleNamespace(chargeable=chargeable)  # type: ignore[assignment]
    way(attempt.responding, response())
    assert sorted(till.events()[4:]) == sorted([*events, "settle"])
    assert till.spent == COST + worst(till) * events.count("estimated")


@pytest.mark.parametrize("end", ["end", "drop"])
def test_what_went_out_again_ends_with_its_attempt(attempt: Attempt, till: Till, way: Way, end: str) -> None:
    way(attempt.hold)
    way(attempt.hold_again)
    attempt.sends = SimpleNamespace(chargeable=2)  # type: ignore[assignment]
    attempt.drop() if end == "drop" else way(attempt.ending)
    assert till.events() == ["hold", "hold", "estimated", "estimated"]


def test_what_goes_out_again_after_the_response_ends_at_once(attempt: Attempt, till: Till, way: Way) -> None:
    way(attempt.hold)
    way(attempt.responding, response())
    way(attempt.hold_again)
    assert till.events() == ["hold", "settle", "hold", "release"]


# ---- the call's own hold


def test_a_hold_that_was_requested_and_not_used_is_given_back(call: Call, till: Till) -> None:
    call.begin()
    call.close()
    assert leftovers.wait()
    assert (till.held, till.spent) == (0, 0)


def test_the_first_attempt_uses_the_hold_that_was_requested(call: Call, attempt: Attempt, till: Till) -> None:
    call.begin()
    attempt.hold()
    assert call.begun is None
    now(attempt.responding(response(), awaited=False))
    call.close()
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


def test_an_attempt_of_other_content_does_not_use_the_hold_that_was_requested(call: Call, till: Till) -> None:
    call.begin()
    other = paid_call(max_tokens=500)
    attempt = Attempt(call, other, streamed=False, sending=None)
    attempt.hold()
    now(attempt.responding(response(), awaited=False))
    call.close()
    assert sorted(till.events()) in (["hold", "settle"], ["hold", "hold", "release", "settle"])
    assert till.records("hold")[-1].amount >= 450 * 10_000
    assert till.spent == COST


def test_an_attempt_at_the_gateway_takes_the_charge_of_its_call(
    monkeypatch: pytest.MonkeyPatch, till: Till, guard: Guard, paid: Paid, way: Way
) -> None:
    guard.base_url = "https://llm.example.com/v1"
    monkeypatch.setenv(GATEWAY_ENV, "https://llm.example.com")
    call = Call(guard, paid, REQUEST, owner=None)
    asyncio.run(call.begin_async())
    attempt = Attempt(call, paid, streamed=False, sending=None)
    way(attempt.hold)
    way(attempt.responding, response())
    call.close()
    assert (till.records(), till.spent) == ([], 0)


def test_what_is_held_is_taken_once_and_by_its_own_content_alone(call: Call, paid: Paid, way: Way) -> None:
    assert call.take_unused(paid) is None
    assert call.pop_unused() is None
    asyncio.run(call.begin_async())
    assert call.take_unused(paid_call()) is None
    charge = call.take_unused(paid)
    assert charge is not None
    assert call.take_unused(paid) is None
    call.reuse(charge)
    assert call.pop_unused() is charge
    charge.release()


def test_a_call_that_cannot_be_held_is_refused(guard: Guard, till: Till, way: Way) -> None:
    unknown = paid_call(model="unheard-of")
    call = Call(guard, unknown, REQUEST, owner=None)
    with pytest.raises(ConfigurationError):
        way(call.begin)
    call.close()
    assert till.held == 0


# ---- what a charge is settled with


@pytest.mark.parametrize("end", ["estimate", "settle", "settle_partly", "abandon"])
def test_a_call_that_is_free_costs_nothing_however_it_ends(till: Till, paid: Paid, end: str) -> None:
    charge = Guard(till.engine, Prices(cost=0), provider="openai", budget_category="llm").begin(paid)
    if end == "settle":
        charge.settle({})
    elif end == "settle_partly":
        charge.settle_partly(None, None)
    else:
        getattr(charge, end)()
    assert (till.held, till.spent) == (0, 0)


class Free:
    """A call whose worst case is 0 and whose responses report no usage."""

    name = model = "free"
    body = quoted = None

    def worst(self, rates: Any) -> Decimal:
        return Decimal(0)

    def cost(self, *_: Any) -> Any:
        raise UsageMissingError


def test_a_response_that_says_nothing_costs_what_was_held_though_it_is_nothing(till: Till) -> None:
    guard = Guard(till.engine, Prices(price={"input_mtok": 0}), provider="openai", budget_category="llm")
    guard.begin(Free()).settle({})  # type: ignore[arg-type]
    assert (till.events(), till.spent) == (["hold", "estimated"], 0)


@pytest.mark.parametrize(
    ("more", "id", "reference"),
    [
        ({}, "c1", None),
        ({"store": True}, "c1", "openai/c1"),
        ({"store": True}, "", None),
        ({"store": True}, 7, None),
    ],
)
@pytest.mark.parametrize("partly", [False, True])
def test_an_estimate_is_named_where_its_response_can_be_retrieved(
    guard: Guard, more: dict[str, Any], id: Any, reference: str | None, partly: bool
) -> None:
    charge = guard.begin(paid_call(**more))
    response = {"id": id, "model": "gpt-4o"}
    if partly:
        charge.settle_partly(response, Seen(text=5))
    else:
        charge.settle(response)
    assert charge.grant.reference == reference


def test_a_cost_that_is_sure_is_not_named(guard: Guard) -> None:
    charge = guard.begin(paid_call(store=True))
    charge.settle({"id": "c1", "model": "gpt-4o", "usage": {"prompt_tokens": 11, "completion_tokens": 7}})
    assert charge.grant.reference is None


def test_a_response_that_broke_off_before_it_reported_anything_is_an_estimate(
    guard: Guard, paid: Paid, till: Till, way: Way
) -> None:
    charge = way(guard.begin, paid)
    way(charge.settle_partly, None, Seen(text=5))
    assert till.events() == ["hold", "estimated"]
    assert 0 < till.spent <= worst(till)


def test_what_is_kept_is_not_ended_with_its_call(call: Call, attempt: Attempt, till: Till) -> None:
    attempt.hold()
    charge = call._charges[0]
    charge.keep()
    call.close()
    assert charge.open
    charge.release()
    assert till.events() == ["hold", "release"]
