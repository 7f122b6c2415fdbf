"""The hold of a call ends once, whatever interrupts it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance import UnavailableError, money
from aumos_governance.authority.authorization import AsyncGrant
from aumos_governance.integrations.guarding.attempts import Attempt, Call, Sending
from aumos_governance.integrations.guarding.calls import ApiRequest, Cost, Paid
from aumos_governance.integrations.guarding.charge import Charge
from aumos_governance.integrations.guarding.guard import Guard, Outcome
from aumos_governance.integrations.guarding.leftovers import leftovers
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.chats import COST, MESSAGES
from tests.integrations.till import Till

REQUEST = ApiRequest("post", "/chat/completions", {"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 50})
RESPONSE: dict[str, Any] = {"model": "gpt-4o", "usage": {"prompt_tokens": 11, "completion_tokens": 7}}


@pytest.fixture
def guard(till: Till) -> Guard:
    return Guard(till.engine, Prices(), provider="openai", budget_category="llm")


@pytest.fixture
def paid() -> Paid:
    found = PROVIDER.paid(REQUEST)
    assert found is not None
    return found


@pytest.fixture
def call(guard: Guard, paid: Paid) -> Call:
    return Call(guard, paid, REQUEST, owner=None)


def held_in(till: Till) -> Decimal:
    """The amount of the last hold, in USD."""
    return money.to_decimal(till.records("hold")[-1].amount or 0)


# ---- holds that no attempt has used


def test_an_unused_hold_of_a_call_that_is_left_is_given_back(call: Call, till: Till) -> None:
    asyncio.run(call.begin_async())
    call.close()
    assert (till.events(), till.spent) == (["hold", "release"], 0)


def test_an_unused_hold_of_a_call_that_raises_is_released(call: Call, till: Till) -> None:
    asyncio.run(call.begin_async())
    call.raised(ValueError())
    assert (till.events(), till.spent) == (["hold", "release"], 0)


def test_an_unused_hold_of_an_awaited_call_that_raises_is_released(call: Call, till: Till) -> None:
    async def running() -> None:
        await call.begin_async()
        await call.raised_async(ValueError())

    asyncio.run(running())
    assert (till.events(), till.spent) == (["hold", "release"], 0)


def test_a_hold_given_back_once_the_call_is_over_is_released(call: Call, paid: Paid, till: Till) -> None:
    attempt = Attempt(call, paid, streamed=False, sending=Sending(streamed=False))
    attempt.hold()
    call.close()
    attempt.outcome = Outcome.FREE
    attempt.end()
    assert (till.events(), till.spent) == (["hold", "release"], 0)


def test_an_attempt_without_an_end_is_an_estimate_when_its_call_is_left(call: Call, paid: Paid, till: Till) -> None:
    Attempt(call, paid, streamed=False, sending=None).hold()
    call.close()
    assert (till.events(), till.spent) == (["hold", "estimated"], held_in(till))


@pytest.mark.parametrize("awaited", [False, True])
def test_an_attempt_of_other_content_releases_what_is_unused(call: Call, till: Till, awaited: bool) -> None:
    other = PROVIDER.paid(REQUEST)
    assert other is not None
    attempt = Attempt(call, other, streamed=False, sending=None)

    async def running() -> None:
        await call.begin_async()
        await attempt.hold_async() if awaited else attempt.hold()

    asyncio.run(running())
    assert till.events() == ["hold", "release", "hold"]
    call.raised(ValueError())
    assert till.events() == ["hold", "release", "hold", "estimated"]


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize(("status", "event"), [(429, "release"), (200, "estimated")])
def test_a_final_error_is_free_and_a_final_silence_is_not(
    call: Call, paid: Paid, till: Till, awaited: bool, status: int, event: str
) -> None:
    attempt = Attempt(call, paid, streamed=False, sending=None)
    error = ValueError()
    error.status_code = status  # type: ignore[attr-defined]

    async def running() -> None:
        if awaited:
            await attempt.hold_async()
            await call.raised_async(error)
        else:
            attempt.hold()
            call.raised(error)

    asyncio.run(running())
    assert till.events() == ["hold", event]


# ---- interrupts while it ends


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, asyncio.CancelledError, ZeroDivisionError])
@pytest.mark.parametrize("awaited", [False, True])
def test_an_interrupt_while_it_is_settled_is_raised_and_leaves_an_estimate(
    guard: Guard,
    paid: Paid,
    till: Till,
    monkeypatch: pytest.MonkeyPatch,
    interrupt: type[BaseException],
    awaited: bool,
) -> None:
    def interrupted(*_: Any) -> None:
        raise interrupt

    async def running() -> None:
        charge = await guard.begin_async(paid) if awaited else guard.begin(paid)
        monkeypatch.setattr(guard, "cost", interrupted)
        with pytest.raises(interrupt):
            await charge.settle_async(RESPONSE) if awaited else charge.settle(RESPONSE)
        assert not charge.open

    asyncio.run(running())
    assert (till.events(), till.spent) == (["hold", "estimated"], held_in(till))


@pytest.mark.parametrize("awaited", [False, True])
def test_an_interrupt_while_its_end_is_written_down_is_raised_and_the_end_stands(
    guard: Guard, paid: Paid, till: Till, monkeypatch: pytest.MonkeyPatch, awaited: bool
) -> None:
    async def running() -> None:
        charge = await guard.begin_async(paid) if awaited else guard.begin(paid)

        def interrupted(*_: Any, **__: Any) -> Any:
            monkeypatch.undo()
            raise KeyboardInterrupt

        monkeypatch.setattr(type(charge.grant), "resolve_soon", interrupted)
        with pytest.raises(KeyboardInterrupt):
            await charge.settle_async(RESPONSE) if awaited else charge.settle(RESPONSE)

    asyncio.run(running())
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


@pytest.mark.parametrize("awaited", [False, True])
def test_a_ledger_out_of_reach_warns_and_the_end_is_written_down_later(
    guard: Guard, paid: Paid, till: Till, monkeypatch: pytest.MonkeyPatch, awaited: bool
) -> None:
    async def running() -> None:
        charge = await guard.begin_async(paid) if awaited else guard.begin(paid)

        def unreachable(*_: Any, **__: Any) -> Any:
            monkeypatch.undo()
            raise UnavailableError("The ledger does not respond.")

        monkeypatch.setattr(type(charge.grant), "resolve_soon", unreachable)
        with pytest.warns(RuntimeWarning, match="not recorded yet"):
            await charge.settle_async(RESPONSE) if awaited else charge.settle(RESPONSE)

    asyncio.run(running())
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


# ---- one end alone


def test_a_second_end_changes_nothing(guard: Guard, paid: Paid, till: Till) -> None:
    charge = guard.begin(paid)
    assert (charge.open, charge.outlives_call) == (True, False)
    charge.settle(RESPONSE)
    assert not charge.open
    charge.release()
    charge.estimate()
    charge.abandon()
    charge.release_soon()
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


def test_given_back_costs_nothing_and_abandoned_what_was_held(guard: Guard, paid: Paid, till: Till) -> None:
    guard.begin(paid).release_soon()
    assert (till.events(), till.spent) == (["hold", "release"], 0)
    charge = guard.begin(paid)
    charge.abandon()
    assert till.events() == ["hold", "release", "hold", "estimated"]
    assert till.spent == held_in(till)


def test_a_part_of_a_body_that_is_no_stream_is_charged_as_held(guard: Guard, paid: Paid, till: Till) -> None:
    charge = guard.begin(paid)
    charge.settle_partly(RESPONSE, None)
    assert (till.events(), till.spent) == (["hold", "estimated"], held_in(till))


def test_the_first_of_two_ends_that_wait_counts(
    guard: Guard, paid: Paid, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, unused = guard.begin(paid), guard.begin(paid)
    monkeypatch.setattr(leftovers, "note", lambda _: None)
    left.abandon()
    left.release_soon()
    unused.release_soon()
    unused.abandon()
    monkeypatch.undo()
    left.end_now()
    unused.end_now()
    leftovers.ended(left)
    leftovers.ended(unused)
    assert (till.events(), till.spent) == (["hold", "hold", "estimated", "release"], held_in(till))


@pytest.mark.parametrize(
    ("end", "event"),
    [
        (lambda charge: charge.settle(RESPONSE), "settle"),
        (lambda charge: charge.settle_partly(RESPONSE, None), "estimated"),
        (lambda charge: charge.settle_cost(Cost(Decimal("0.01"))), "settle"),
        (lambda charge: charge.estimate(), "estimated"),
        (lambda charge: charge.release(), "release"),
    ],
)
@pytest.mark.parametrize("awaited", [False, True])
def test_what_a_task_or_a_thread_holds_is_ended_by_one_that_awaits_nothing(
    guard: Guard, paid: Paid, till: Till, awaited: bool, end: Callable[[Charge], None], event: str
) -> None:
    charge = asyncio.run(guard.begin_async(paid)) if awaited else guard.begin(paid)
    assert isinstance(charge.grant, AsyncGrant) is awaited
    end(charge)
    assert not charge.open
    assert till.events() == ["hold", event]


def test_the_end_of_an_awaited_call_is_awaited(
    guard: Guard, paid: Paid, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blocks(*_: Any, **__: Any) -> None:
        raise AssertionError("It keeps the event loop from anything else.")

    monkeypatch.setattr(AsyncGrant, "resolve_now", blocks)

    async def running() -> None:
        await (await guard.begin_async(paid)).settle_async(RESPONSE)
        # What a thread holds, a task may end.
        await guard.begin(paid).settle_async(RESPONSE)
        for end in (Charge.estimate_async, lambda charge: charge.settle_partly_async(RESPONSE, None)):
            await end(await guard.begin_async(paid))

    asyncio.run(running())
    assert till.events() == ["hold", "settle"] * 2 + ["hold", "estimated"] * 2


def test_an_awaited_attempt_requests_its_hold_once(
    call: Call, paid: Paid, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(paid: Paid) -> None:
        raise AssertionError("Nothing would release what is requested ahead of a hold that is awaited.")

    monkeypatch.setattr(call.guard, "begin_ahead", twice)
    asyncio.run(Attempt(call, paid, streamed=False, sending=None).hold_async())
    assert till.events() == ["hold"]
    call.close()
    assert till.events() == ["hold", "estimated"]


def test_copies_of_an_attempt_that_outlives_its_call_are_ended_with_it(call: Call, paid: Paid, till: Till) -> None:
    attempt = Attempt(call, paid, streamed=False, sending=Sending(streamed=False))
    attempt.hold()
    attempt.hold_again()
    call.close()
    assert till.events() == ["hold", "hold"]
    attempt.outcome = Outcome.FREE
    attempt.end()
    assert till.events() == ["hold", "hold", "release", "release"]


class Refused:
    """An end that was sent, and that its response says is not recorded."""

    looked_at = 0

    def then(self, function: Callable[[], object]) -> None:
        function()

    def result(self) -> None:
        self.looked_at += 1


def test_an_end_that_was_sent_is_looked_after_until_it_is_recorded(
    guard: Guard, paid: Paid, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge, ending = guard.begin(paid), Refused()
    with monkeypatch.context() as soon:
        soon.setattr(type(charge.grant), "resolve_soon", lambda *_, **__: ending)
        charge.settle(RESPONSE)
        assert leftovers.wait()
    assert ending.looked_at == 1
    charge.grant.resolve_now(None)
