"""A caller that is interrupted while an amount is held for it holds nothing, at whatever line it is interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from aumos_governance import GovernanceAction, GovernanceDeniedError, GovernanceEngine, TrustLevel
from aumos_governance.authority.authorization import Authorization, Grant
from tests.interrupting import PACKAGE, interrupted

ACTION = GovernanceAction("a", required_trust_level=1, budget_category="llm", budget_amount=Decimal("0.5"), tool="m")
OURS = (PACKAGE / "ledger", *PACKAGE.glob("*.py"))
Begin = Callable[[GovernanceEngine], Grant]


@pytest.fixture(params=["memory", "sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GovernanceEngine]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'governance.db'}"
    with GovernanceEngine(ledger=url) as engine:
        engine.budget.create_budget("llm", 1000)
        yield engine


def begin(engine: GovernanceEngine) -> Grant:
    return engine.begin(ACTION)


def begin_ahead(engine: GovernanceEngine) -> Grant:
    return engine.begin_ahead(ACTION).grant()


def held(engine: GovernanceEngine) -> Decimal:
    # The ledger executes requests in order, so the releases before these two are done.
    engine.evaluate_sync(GovernanceAction("a"))
    engine.realm.submit(engine._request(GovernanceAction("a"))).result(10)
    return engine.budget.balance("llm").held


@pytest.mark.parametrize("call", [begin, begin_ahead])
def test_an_interrupt_at_any_line_holds_nothing(engine: GovernanceEngine, call: Begin) -> None:
    call(engine).release()
    at, grants = 1, list[Grant]()
    while where := interrupted(lambda: grants.append(call(engine)), at, *OURS):
        # An interrupt in a callback from a C library may be lost; the call then ended normally.
        while grants:
            grants.pop().release()
        assert held(engine) == 0, where
        at += 1
    assert at > 100
    # The loop ended with a call that was not interrupted.
    assert (len(grants), held(engine)) == (1, ACTION.budget_amount)
    assert engine.realm.ledger.verify().ok


def test_an_interrupt_at_any_line_before_a_block_holds_nothing(engine: GovernanceEngine) -> None:
    at, entered = 1, list[Authorization]()

    def enter() -> None:
        authorization = engine.authorize(ACTION)
        authorization.__enter__()
        entered.append(authorization)

    while where := interrupted(enter, at, PACKAGE / "authority" / "authorization.py"):
        assert held(engine) == 0, where
        at += 1
    assert at > 5
    assert (len(entered), held(engine)) == (1, ACTION.budget_amount)
    entered[0].__exit__(None, None, None)
    assert engine.budget.balance("llm").spent == ACTION.budget_amount


@pytest.mark.parametrize("requested", [False, True])
def test_what_is_dropped_holds_nothing(engine: GovernanceEngine, requested: bool) -> None:
    begun = engine.begin_ahead(ACTION)
    if requested:
        assert begun.grant().hold_id is not None
    begun.drop()
    begun.drop()
    assert held(engine) == 0
    assert [entry.event for entry in engine.audit.entries() if entry.event in ("hold", "release")] == (
        ["hold", "release"] if requested else []
    )


def test_a_denied_one_has_nothing_to_give_back(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", TrustLevel.L0_OBSERVER)
    requested: list[str] = []
    engine.realm.submit = lambda request: requested.append(type(request).__name__)  # type: ignore[assignment, method-assign, func-returns-value, return-value]
    with pytest.raises(GovernanceDeniedError):
        engine.begin(ACTION)
    assert requested == []
