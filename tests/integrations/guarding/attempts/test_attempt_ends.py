"""The holds of attempts that are awaited, given up or overtaken, and of batches, end as well."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from aumos_governance.authority.authorization import Grant
from aumos_governance.integrations.guarding.attempts import Attempt, Call
from aumos_governance.integrations.guarding.batches import BatchCall
from aumos_governance.integrations.guarding.calls import ApiRequest, Paid
from aumos_governance.integrations.guarding.charge import Charge
from aumos_governance.integrations.guarding.guard import Guard
from aumos_governance.integrations.guarding.leftovers import leftovers
from aumos_governance.integrations.openai.calls import PROVIDER
from tests.integrations.guarding.attempts.one_attempt import BODY, REQUEST, RefusedError, Way, paid_call, response
from tests.integrations.till import Till


class Decided:
    """A requested hold whose decision arrives before it is dropped."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant

    def grant(self) -> Grant:
        raise KeyboardInterrupt

    def drop(self) -> Grant:
        return self._grant


@pytest.mark.parametrize("end", ["call", "attempt"])
def test_what_was_granted_to_a_call_that_is_given_up_is_given_back(
    call: Call, attempt: Attempt, guard: Guard, paid: Paid, till: Till, end: str
) -> None:
    begun = Decided(guard.begin(paid).grant)
    if end == "call":
        call.begun = begun
        call.close()
    else:
        guard.begin_ahead = lambda _: begun  # type: ignore[assignment, method-assign]
        with pytest.raises(KeyboardInterrupt):
            attempt.hold()
        attempt.drop()
    assert leftovers.wait()
    assert till.events() == ["hold", "release"]


class Shared(list[Any]):
    """A list whose members another thread always removes first."""

    def remove(self, _: Any) -> None:
        self.clear()
        raise ValueError

    def pop(self, *_: Any) -> Any:
        self.clear()
        raise IndexError


def test_what_another_thread_takes_first_is_not_there(call: Call, paid: Paid, till: Till) -> None:
    for take in (True, False):
        asyncio.run(call.begin_async())
        call._unused = Shared(call._unused)
        assert (call.take_unused(paid) if take else call.pop_unused()) is None
    for charge in call._charges:
        charge.release()


# ---- a batch


@pytest.mark.parametrize(
    ("content", "events"),
    [(b'{"id": "batch_1"}', ["hold"]), (b'{"id": 7}', ["hold", "estimated"]), (b"{}", ["hold", "estimated"])],
)
def test_a_batch_stays_held_where_it_can_be_found_again(
    guard: Guard, till: Till, way: Way, content: bytes, events: list[str]
) -> None:
    batch = BatchCall([("a", REQUEST)], PROVIDER.paid)
    attempt = Attempt(Call(guard, batch, REQUEST, owner=None), batch, streamed=False, sending=None)
    way(attempt.hold)
    way(attempt.responding, response(content))
    attempt.call.close()
    assert till.events() == events
    charge = guard.followups.batch(guard.reference("batch_1"))
    assert (charge is not None) == (events == ["hold"])
    if charge is not None:
        charge.release()


def test_a_hold_is_for_the_request_as_it_is_sent(guard: Guard) -> None:
    streamed = paid_call(stream=True)
    assert streamed.body is not None
    call = Call(guard, streamed, ApiRequest("post", "/chat/completions", {**BODY, "stream": True}), owner=None)
    assert call.is_for("post", "/chat/completions", dict(streamed.body))
    assert not call.is_for("post", "/chat/completions", {**BODY, "stream": True})


# ---- how it is waited for


def test_what_is_awaited_blocks_nowhere(
    call: Call, paid: Paid, till: Till, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[bool] = []

    def noted(kind: type, name: str) -> None:
        method = getattr(kind, name)

        def noting(*arguments: Any, awaited: bool = False, **options: Any) -> Any:
            waited.append(awaited)
            return method(*arguments, awaited=awaited, **options)

        monkeypatch.setattr(kind, name, noting)

    noted(Guard, "beginning")
    noted(Charge, "settling")
    noted(Charge, "releasing")
    for end in ("responding", "raised", "another"):
        attempt = Attempt(call, paid, streamed=False, sending=None)
        way(attempt.hold)
        if end == "responding":
            way(attempt.responding, response())
        elif end == "raised":
            way(call.raised, ValueError())
    after = Attempt(call, paid, streamed=False, sending=None)
    way(after.hold)
    call.refused()
    way(call.raised, RefusedError())
    assert till.events() == ["hold", "settle", "hold", "estimated", "hold", "estimated", "hold", "release"]
    assert set(waited) == {way.awaited}


def test_a_call_that_is_over_is_gone_with_its_last_user(guard: Guard, paid: Paid, till: Till) -> None:
    call = Call(guard, paid, REQUEST, owner=None)
    attempt = Attempt(call, paid, streamed=False, sending=None)
    attempt.hold()
    call.close()
    assert leftovers.wait()
    known = weakref.ref(call)
    gc.collect()
    gc.disable()
    try:
        del call, attempt
        assert known() is None
    finally:
        gc.enable()
    assert till.events() == ["hold", "estimated"]
