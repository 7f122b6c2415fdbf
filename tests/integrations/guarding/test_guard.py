"""The amount that a guard holds for a call, and the figure that it charges."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.errors import UnavailableError
from aumos_governance.integrations.guarding.calls import Cost, UsageMissingError
from aumos_governance.integrations.guarding.guard import Guard, Outcome, body_of, outcome_of
from aumos_governance.integrations.guarding.leftovers import leftovers
from aumos_governance.integrations.pricing.prices import Prices, Rates
from aumos_governance.integrations.pricing.seen import Seen
from aumos_governance.steps import now
from aumos_governance.wire.provider_keys import GATEWAY_ENV
from tests.integrations.till import Till

UNKNOWN_PLACE = "https://llm.example.com/v1"
OPENROUTER = "https://openrouter.ai/api/v1"


class Fixed:
    """A call that costs 0.02 USD a token of its rates' model, and 0.5 USD at worst."""

    name = "fixed"
    body: Mapping[str, Any] | None = None

    def __init__(self, model: str = "gpt-4o") -> None:
        self.model = model
        self.quoted: Rates | None = None
        self.priced_at: list[str] = []

    def worst(self, rates: Rates) -> Decimal:
        return Decimal("0.5")

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        self.priced_at.append(rates.model)
        if "usage" not in response:
            raise UsageMissingError
        return Cost(Decimal("0.02"), response.get("doubt", False))

    def meter(self) -> Any:
        raise NotImplementedError


def guard_at(till: Till, base_url: str = UNKNOWN_PLACE, **prices: Any) -> Guard:
    return Guard(till.engine, Prices(**prices), provider="openai", base_url=base_url, budget_category="llm")


def stated(usd: str, **more: Any) -> dict[str, Any]:
    return {"usage": {"cost": float(usd)}, **more}


# ---- what is held


@pytest.mark.parametrize("awaited", [False, True])
def test_a_call_that_the_gateway_charges_is_neither_held_nor_charged_here(
    till: Till, monkeypatch: pytest.MonkeyPatch, awaited: bool
) -> None:
    monkeypatch.setenv(GATEWAY_ENV, "https://llm.example.com")
    charge = now(guard_at(till).beginning(Fixed(), awaited=awaited))
    assert (charge.open, charge.outlives_call) == (False, False)
    charge.settle({"usage": {}})
    charge.settle_partly(None, None)
    charge.settle_cost(Cost(Decimal(1)))
    charge.estimate()
    charge.release()
    charge.release_soon()
    charge.abandon()
    assert (till.spent, till.held, till.records()) == (0, 0, [])
    # At another address it is.
    monkeypatch.setenv(GATEWAY_ENV, "https://llm.example.com/other")
    charge = now(guard_at(till, price={"input_mtok": 1, "output_mtok": 1}).beginning(Fixed(), awaited=False))
    assert (charge.open, till.held) == (True, Decimal("0.5"))
    charge.release()


# ---- the charged figure


@pytest.mark.parametrize(
    ("response", "usd", "estimated"),
    [
        ({"usage": {}}, "0.02", False),
        ({"usage": {}, "doubt": True}, "0.02", True),
        (stated("0.05"), "0.05", False),
        (stated("0.05", doubt=True), "0.05", True),
        (stated("0.02"), "0.02", False),
        (stated("0.01"), "0.02", True),
    ],
    ids=str,
)
@pytest.mark.parametrize("fee", ["0", "0.003"])
def test_of_what_an_unknown_server_states_and_the_prices_say_the_larger_counts(
    till: Till, response: dict[str, Any], usd: str, estimated: bool, fee: str
) -> None:
    cost = guard_at(till, fee=fee).cost(Fixed(), response)
    assert cost == Cost(Decimal(usd) + Decimal(fee), estimated)


@pytest.mark.parametrize("fee", ["0", "0.003"])
def test_what_a_seller_states_counts_alone(till: Till, fee: str) -> None:
    paid = Fixed("openai/gpt-4o")
    assert guard_at(till, OPENROUTER, fee=fee).cost(paid, stated("0.001")) == Cost(Decimal("0.001") + Decimal(fee))
    assert paid.priced_at == []


@pytest.mark.parametrize("fee", ["0", "0.003"])
def test_a_flat_cost_counts_whatever_is_stated_and_has_its_fee(till: Till, fee: str) -> None:
    assert guard_at(till, cost="0.25", fee=fee).cost(Fixed(), stated("7")) == Cost(Decimal("0.25") + Decimal(fee))


@pytest.mark.parametrize("fee", ["0", "0.003"])
def test_an_assumed_cost_counts_until_a_response_states_a_larger_one(till: Till, fee: str) -> None:
    guard = guard_at(till, default_cost="0.25", fee=fee)
    for response, cost in [
        ({}, Cost(Decimal("0.25"))),
        (stated("0.7"), Cost(Decimal("0.7"))),
        (stated("0.1"), Cost(Decimal("0.25"), estimated=True)),
    ]:
        assert guard.cost(Fixed("unknown"), response) == Cost(cost.usd + Decimal(fee), cost.estimated)


# ---- the prices that apply


@pytest.mark.parametrize(
    ("prices", "model", "responded", "priced_at"),
    [
        ({}, "gpt-4o", "gpt-4o-mini", ["gpt-4o-mini"]),
        ({}, "gpt-4o", "gpt-4o", ["gpt-4o"]),
        ({}, "gpt-4o", "unheard-of", ["gpt-4o"]),
        ({"default_cost": 1}, "unknown", "gpt-4o", ["gpt-4o"]),
        ({"price": {"input_mtok": 1, "output_mtok": 2}}, "mine", "gpt-4o", ["mine"]),
    ],
)
def test_the_model_that_responded_is_charged_unless_the_user_has_stated_the_price(
    till: Till, prices: dict[str, Any], model: str, responded: str, priced_at: list[str]
) -> None:
    paid = Fixed(model)
    guard_at(till, **prices).cost(paid, {"usage": {}, "model": responded})
    assert paid.priced_at == priced_at


def test_a_call_is_charged_by_the_prices_at_which_it_was_held(till: Till) -> None:
    guard, paid = guard_at(till), Fixed()
    guard.action(paid)
    held_at = paid.quoted
    assert held_at is not None
    guard.prices = Prices(cost=9)
    assert guard.cost(paid, {"usage": {}}) == Cost(Decimal("0.02"))


# ---- what is held


@pytest.mark.parametrize(("fee", "held"), [("0", "0.5"), ("0.003", "0.503")])
def test_the_worst_case_and_the_fee_are_held(till: Till, fee: str, held: str) -> None:
    action = guard_at(till, fee=fee).action(Fixed())
    assert (action.budget_amount, action.action_type, action.tool) == (Decimal(held), "fixed", "gpt-4o")
    assert action.budget_category == "llm"


def test_a_worst_case_that_cannot_be_computed_refuses_the_call_and_names_the_cause(till: Till) -> None:
    paid = Fixed()
    paid.worst = {}.__getitem__  # type: ignore[method-assign]
    with pytest.raises(ConfigurationError, match="KeyError"):
        guard_at(till).begin(paid)
    paid.worst = lambda _: Decimal("NaN")  # type: ignore[method-assign, assignment]
    with pytest.raises(Exception, match="computed cost"):
        guard_at(till).begin(paid)
    assert till.held == 0


def test_a_call_of_no_agent_named_is_of_the_engine_s(till: Till) -> None:
    named = Guard(till.engine, Prices(), provider="openai", agent_id="mine", required_trust_level=3)
    assert named.action(Fixed()).agent_id == "mine"
    assert named.action(Fixed()).required_trust_level == 3
    assert guard_at(till).action(Fixed()).agent_id == till.engine.agent_id


def test_a_guard_at_another_address_shares_all_but_the_address(till: Till) -> None:
    guard = guard_at(till)
    other = guard.at(OPENROUTER)
    assert (guard.base_url, other.base_url) == (UNKNOWN_PLACE, OPENROUTER)
    assert (other.engine, other.prices, other.followups) == (guard.engine, guard.prices, guard.followups)


# ---- refusals


@pytest.mark.parametrize("awaited", [False, True])
def test_a_call_of_unknown_price_is_refused_and_on_record(till: Till, awaited: bool) -> None:
    guard, paid = guard_at(till), Fixed("unheard-of")
    with pytest.raises(ConfigurationError, match="not known"):
        asyncio.run(guard.begin_async(paid)) if awaited else guard.begin(paid)
    entry = list(till.engine.audit.entries())[-1]
    assert (entry.code, entry.action_type, entry.tool) == ("PRICE_UNKNOWN", "fixed", "unheard-of")


def test_a_refusal_that_cannot_be_recorded_is_one_all_the_same(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> None:
        raise UnavailableError("The ledger does not respond.")

    monkeypatch.setattr(till.engine, "record_refusal", unreachable)
    refusal = ConfigurationError("No.", "SOME_CODE")
    found = guard_at(till).record_refusal(refusal, "PRICE_UNKNOWN", "fixed", None)
    assert found.message.startswith("No. ")
    assert "does not respond" in found.message
    assert found.code == "SOME_CODE"


# ---- a call as a whole


def test_a_call_gives_its_response_and_is_charged_by_it(till: Till) -> None:
    response = SimpleNamespace(usage=SimpleNamespace(cost=0.05))
    assert guard_at(till).call(Fixed(), lambda: response) is response
    assert (till.events(), till.spent) == (["hold", "settle"], Decimal("0.05"))


class RefusedError(Exception):
    status_code = 400


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (RefusedError, "release"),
        (ZeroDivisionError, "estimated"),
        (KeyboardInterrupt, "estimated"),
        (asyncio.CancelledError, "estimated"),
    ],
)
def test_a_call_that_raises_is_free_where_it_got_an_error_response(
    till: Till, error: type[BaseException], event: str
) -> None:
    def raising() -> None:
        raise error

    with pytest.raises(error):
        guard_at(till).call(Fixed(), raising)
    assert leftovers.wait()
    assert till.events() == ["hold", event]
    assert till.spent == (Decimal(0) if event == "release" else Decimal("0.5"))


@pytest.mark.parametrize(
    ("status", "outcome"), [(399, Outcome.UNKNOWN), (400, Outcome.FREE), (503, Outcome.FREE), ("500", Outcome.UNKNOWN)]
)
def test_a_response_of_400_and_more_costs_nothing(status: object, outcome: str) -> None:
    direct, inner, outer = RefusedError(), ValueError(), ValueError()
    direct.status_code = status  # type: ignore[assignment]
    inner.response = SimpleNamespace(status_code=status)  # type: ignore[attr-defined]
    outer.__cause__ = inner
    assert [outcome_of(error) for error in (direct, inner, outer)] == [outcome] * 3


def test_what_was_never_sent_costs_nothing() -> None:
    class ConnectError(Exception): ...

    class OwnError(ConnectError): ...

    assert outcome_of(OwnError()) == Outcome.FREE
    assert outcome_of(TimeoutError()) == Outcome.UNKNOWN


def test_the_body_of_a_response_is_what_it_gives_of_itself() -> None:
    plain = {"usage": {"cost": 1}}
    assert body_of(plain) is plain
    assert body_of(SimpleNamespace(model_dump=lambda: plain)) == plain
    assert body_of(SimpleNamespace(to_dict=lambda: plain)) == plain
    assert body_of(SimpleNamespace(usage=SimpleNamespace(cost=1))) == plain
    assert body_of("text") == {}
    assert body_of(SimpleNamespace(model_dump=lambda: "text")) == {}


def test_a_reference_is_the_provider_s_and_no_longer_than_a_text_may_be(till: Till) -> None:
    assert guard_at(till).reference("resp_1") == "openai/resp_1"
    assert len(guard_at(till).reference("x" * 10_000)) < 10_000
