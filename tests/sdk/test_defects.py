"""Defects of the earlier SDK, which failed each of these tests."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from aumos_governance import (
    AuditConfig,
    AuditFilter,
    BudgetExceededError,
    GovernanceAction,
    GovernanceConfig,
    GovernanceDeniedError,
    GovernanceEngine,
    GovernanceOutcome,
    TrustLevel,
)
from tests.ledger.kit import HOUR, SECOND, Backend
from tests.sdk.conftest import MakeEngine

NOT_AMOUNTS = [float("nan"), float("inf"), -float("inf"), "nan", Decimal("NaN"), Decimal("Infinity")]


def test_pydantic_knows_an_outcome_as_an_enum() -> None:
    class Model(BaseModel):
        outcome: GovernanceOutcome
        level: TrustLevel

    model = Model.model_validate({"outcome": "deny", "level": 3})
    assert model.outcome is GovernanceOutcome.DENY
    assert model.model_dump(mode="json") == {"outcome": "deny", "level": 3}


def test_what_a_call_costs_is_charged(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 0.05)
    call = GovernanceAction("a", TrustLevel.L1_MONITOR, budget_category="llm", budget_amount=0.01)
    calls = 0
    for _ in range(20):
        try:
            with engine.authorize(call):
                calls += 1
        except GovernanceDeniedError:
            continue
    assert calls == 5
    assert engine.budget.balance("llm").spent == Decimal("0.05")


def test_a_running_loop_starts_no_thread_and_no_loop(engine: GovernanceEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.evaluate_sync(GovernanceAction("a"))

    here = threading.get_ident()

    def never_here(holder: Any, name: str) -> None:
        original = getattr(holder, name)

        def checked(*args: Any, **kwargs: Any) -> Any:
            # Other threads of the process may start what they need.
            if threading.get_ident() == here:
                pytest.fail("evaluate_sync must do its work where it is called")
            return original(*args, **kwargs)

        monkeypatch.setattr(holder, name, checked)

    async def in_a_loop() -> Any:
        never_here(threading.Thread, "start")
        never_here(concurrent.futures.ThreadPoolExecutor, "submit")
        never_here(asyncio, "new_event_loop")
        try:
            return engine.evaluate_sync(GovernanceAction("a"))
        finally:
            monkeypatch.undo()

    assert asyncio.run(in_a_loop()).allowed is True


def test_a_new_engine_does_not_set_the_spend_back_to_zero(make_engine: MakeEngine) -> None:
    first = make_engine()
    first.budget.create_budget("llm", 1)
    first.budget.record_spending("llm", 0.75)
    again = make_engine()
    again.budget.create_budget("llm", 1)
    assert again.budget.balance("llm").spent == Decimal("0.75")


def test_a_denied_spend_raises(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 1)
    with pytest.raises(BudgetExceededError):
        engine.budget.record_spending("llm", 1.01)


@pytest.mark.parametrize("amount", NOT_AMOUNTS, ids=str)
def test_what_is_no_number_never_switches_enforcement_off(engine: GovernanceEngine, amount: Any) -> None:
    engine.budget.create_budget("llm", 1)
    budget = engine.budget
    for method in (budget.create_budget, budget.set_limit, budget.check_budget, budget.record_spending):
        with pytest.raises(ValueError, match="finite number"):
            method("llm", amount)
    action = GovernanceAction("a", budget_category="llm", budget_amount=amount)
    with pytest.raises(ValueError, match="finite number"):
        engine.evaluate_sync(action)
    with pytest.raises(ValueError, match="finite number"), engine.authorize(action):
        pytest.fail("it must not run")
    with pytest.raises(BudgetExceededError):
        budget.record_spending("llm", 2)
    assert (budget.balance("llm").limit, budget.balance("llm").spent) == (1, 0)


def test_three_times_ten_cents_fit_into_thirty(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 0.30)
    for _ in range(3):
        engine.budget.record_spending("llm", 0.1)
    assert engine.budget.balance("llm").remaining == 0
    assert engine.budget.get_utilization("llm") == 1.0
    with pytest.raises(BudgetExceededError):
        engine.budget.record_spending("llm", 0.000000001)


def test_small_amounts_do_not_look_like_nothing(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 0.001)
    engine.budget.record_spending("llm", 0.0004)
    assert engine.budget.check_budget("llm", 0.0004).reason == (
        "Budget 'llm': $0.0004 requested, $0.0006 left of $0.001 monthly"
    )


def test_parallel_spends_never_go_above_the_limit(make_engine: MakeEngine) -> None:
    engines = [make_engine(), make_engine()]
    engines[0].budget.create_budget("llm", 1)
    start = threading.Barrier(8)
    spent: list[int] = []

    def spend(engine: GovernanceEngine) -> None:
        start.wait()
        for _ in range(40):
            try:
                engine.budget.record_spending("llm", 0.01)
                spent.append(1)
            except BudgetExceededError:
                pass

    threads = [threading.Thread(target=spend, args=(engines[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spent) == 100
    assert engines[0].budget.balance("llm").spent == 1
    assert engines[0].realm.ledger.verify().ok


def test_parallel_authorizations_never_go_above_the_limit(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 0.10)
    call = GovernanceAction("a", budget_category="llm", budget_amount="0.01")  # type: ignore[arg-type]

    async def paid() -> bool:
        try:
            async with engine.authorize(call):
                await asyncio.sleep(0)
        except GovernanceDeniedError:
            return False
        return True

    async def many() -> list[bool]:
        return await asyncio.gather(*(paid() for _ in range(50)))

    assert sum(asyncio.run(many())) == 10
    assert engine.budget.balance("llm").spent == Decimal("0.1")


@pytest.fixture
def far_from_utc() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Kiritimati"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("daily", datetime(2027, 3, 3), datetime(2027, 3, 4)),  # noqa: DTZ001
        ("weekly", datetime(2027, 3, 1), datetime(2027, 3, 8)),  # noqa: DTZ001
        ("monthly", datetime(2027, 3, 1), datetime(2027, 4, 1)),  # noqa: DTZ001
        ("yearly", datetime(2027, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001
    ],
)
def test_a_period_ends_by_the_utc_calendar(
    backend: Backend, engine: GovernanceEngine, period: str, start: datetime, end: datetime
) -> None:
    backend.clock.now = _micros(datetime(2027, 3, 3, 12))  # noqa: DTZ001
    engine.budget.create_budget("llm", 1, period)
    engine.budget.record_spending("llm", 0.75)
    assert engine.budget.summary()[0]["last_reset"] == start.replace(tzinfo=timezone.utc)
    backend.clock.now = _micros(end) - SECOND
    assert engine.budget.check_budget("llm", 1).allowed is False
    backend.clock.now = _micros(end)
    check = engine.budget.check_budget("llm", 1)
    # A new period starts with nothing spent, and what was left of the previous one does not roll over.
    assert (check.allowed, check.spent, check.available) == (True, 0.0, 1.0)
    action = GovernanceAction("a", budget_category="llm", budget_amount=1)
    assert engine.evaluate_sync(action).allowed is True
    summary = engine.budget.summary()[0]
    assert (summary["last_reset"], summary["transaction_count"]) == (end.replace(tzinfo=timezone.utc), 0)
    assert engine.budget.get_utilization("llm") == 0.0


def test_a_lifetime_never_ends(backend: Backend, engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 1, "lifetime")
    engine.budget.record_spending("llm", 0.75)
    backend.clock.advance(100 * 365 * 24 * HOUR)
    assert engine.budget.check_budget("llm", 0.5).allowed is False


def test_a_hold_counts_in_the_period_in_which_it_was_made(backend: Backend, engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 1, "daily")
    with engine.authorize(GovernanceAction("a", budget_category="llm", budget_amount=0.75)):
        backend.clock.advance(24 * HOUR)
        assert engine.budget.balance("llm").held == 0
    assert engine.budget.balance("llm").spent == 0


def test_no_record_is_evicted_or_cleared(make_engine: MakeEngine) -> None:
    with pytest.warns(DeprecationWarning, match="no audit record is ever evicted"):
        config = GovernanceConfig(audit=AuditConfig(max_records=10))
    engine = make_engine(config)
    decisions = [engine.evaluate_sync(GovernanceAction("a")) for _ in range(50)]
    kept = [record.record_id for record in engine.audit.stream()]
    assert kept == [decision.audit_record_id for decision in decisions]
    assert engine.audit.count() == 50
    assert not any(hasattr(engine.audit, name) for name in ("clear", "delete", "reset"))


def test_a_copy_of_a_record_changes_nothing(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", 2)
    engine.evaluate_sync(GovernanceAction("a", 2, extra={"n": 1}))
    copy = engine.audit.latest(1)[0]
    copy.reasons.append("forged")
    assert isinstance(copy.context.extra, dict)
    copy.context.extra["n"] = 2
    kept = engine.audit.latest(1)[0]
    assert len(kept.reasons) == 1
    assert kept.context.extra == {"n": 1}
    assert engine.realm.ledger.verify().ok


def test_a_tail_that_was_cut_off_is_missed(tmp_path: Path) -> None:
    backend = Backend("sqlite", f"sqlite:///{tmp_path / 'e.db'}")
    engine = GovernanceEngine(ledger=backend.open())
    for _ in range(3):
        engine.evaluate_sync(GovernanceAction("a"))
    backend.close()
    import sqlite3

    with sqlite3.connect(tmp_path / "e.db") as connection:
        connection.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit WHERE chain <> 'ledger')")
    connection.close()
    found = GovernanceEngine(ledger=backend.open()).realm.ledger.verify()
    backend.close()
    assert not found.ok
    assert found.problem is not None
    assert "is missing" in found.problem


def test_a_datetime_without_a_zone_filters_as_utc(backend: Backend, engine: GovernanceEngine) -> None:
    backend.clock.now = _micros(datetime(2027, 3, 3, 12))  # noqa: DTZ001
    engine.evaluate_sync(GovernanceAction("a"))
    noon = datetime(2027, 3, 3, 12)  # noqa: DTZ001
    assert engine.audit.query(AuditFilter(since=noon)).total_matched == 1
    assert engine.audit.query(AuditFilter(until=noon)).total_matched == 0


def test_trust_levels_are_enforced(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", TrustLevel.L0_OBSERVER)
    ran = []
    with (
        pytest.raises(GovernanceDeniedError),
        engine.authorize(GovernanceAction("a", required_trust_level=TrustLevel.L1_MONITOR)),
    ):
        ran.append(True)
    assert ran == []


def _micros(naive: datetime) -> int:
    return int(naive.replace(tzinfo=timezone.utc).timestamp()) * SECOND
