"""A call, an attempt of it, and both ways to run its steps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aumos_governance.integrations.guarding.attempts import Attempt, Call
from aumos_governance.integrations.guarding.calls import Paid
from aumos_governance.integrations.guarding.guard import Guard
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.guarding.attempts.one_attempt import REQUEST, Way, paid_call
from tests.integrations.till import Till


@pytest.fixture
def guard(till: Till) -> Guard:
    return Guard(till.engine, Prices(), provider="openai", budget_category="llm")


@pytest.fixture
def paid() -> Paid:
    return paid_call()


@pytest.fixture
def call(guard: Guard, paid: Paid) -> Call:
    return Call(guard, paid, REQUEST, owner=None)


@pytest.fixture
def attempt(call: Call, paid: Paid) -> Attempt:
    return Attempt(call, paid, streamed=False, sending=None)


@pytest.fixture(params=[False, True], ids=["plain", "awaited"])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    way = Way(awaited=request.param)
    yield way
    way.close()
