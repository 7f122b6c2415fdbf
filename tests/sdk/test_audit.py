from __future__ import annotations

import math
import sys
from datetime import datetime, timedelta, timezone
from types import ModuleType
from typing import Any

import pytest

from aumos_governance import (
    AuditConfig,
    AuditFilter,
    AuditLogger,
    GovernanceAction,
    GovernanceConfig,
    GovernanceDecisionContext,
    GovernanceEngine,
    GovernanceOutcome,
    aggregate_outcomes,
)
from tests.ledger.kit import SECOND, Backend
from tests.sdk.conftest import MakeEngine

CONTEXT = GovernanceDecisionContext("a", "tool_call", "mail", "prod", "llm", "user_data", "support", {"n": 1})


def test_a_logger_stands_alone() -> None:
    logger = AuditLogger()
    logger.log(GovernanceOutcome.ALLOW, "fine")
    assert (logger.count(), AuditLogger().count()) == (1, 0)


def test_what_is_logged_can_be_read(engine: GovernanceEngine) -> None:
    logged = engine.audit.log("deny", "No", ["too late", "too much"], CONTEXT)
    assert (logged.outcome, logged.decision, logged.reasons) == (GovernanceOutcome.DENY, "No", ["too late", "too much"])
    assert logged.context == CONTEXT
    assert logged.timestamp.utcoffset() == timedelta(0)
    assert engine.audit.query().records == [logged]
    assert engine.audit.latest() == [logged]


def test_what_json_does_not_know_is_kept_as_text(engine: GovernanceEngine) -> None:
    when = datetime(2026, 1, 1, tzinfo=timezone.utc)
    extra = {"when": when, "nan": math.nan, "set": {1}, "deep": [{"x": (1, None, True, 0.5)}], 3: "three"}
    logged = engine.audit.log("allow", "ok", context=GovernanceDecisionContext(extra=extra))
    assert engine.audit.latest(1) == [logged]
    assert logged.context.extra == {
        "when": "2026-01-01 00:00:00+00:00",
        "nan": "nan",
        "set": [1],
        "deep": [{"x": [1, None, True, 0.5]}],
        "3": "three",
    }


def test_decisions_are_counted_and_other_records_stand_beside_them(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", 2)
    engine.budget.create_budget("llm", 1)
    engine.budget.record_spending("llm", 0.5)
    engine.evaluate_sync(GovernanceAction("a"))
    engine.audit.log("allow", "ok")
    assert engine.audit.count() == 2
    assert engine.audit.query().total_matched == 2
    events = [entry.event for entry in engine.audit.entries()]
    assert events == ["open", "trust", "budget", "spend", "evaluate", "evaluate"]


@pytest.fixture
def filled(backend: Backend, engine: GovernanceEngine) -> GovernanceEngine:
    for number in range(12):
        outcome = ("allow", "deny", "allow_with_caveat")[number % 3]
        context = GovernanceDecisionContext(f"agent-{number % 2}", f"type-{number % 4}", f"res-{number % 6}")
        engine.audit.log(outcome, str(number), context=context)
        backend.clock.advance(SECOND)
    return engine


def found(engine: GovernanceEngine, **filters: Any) -> list[int]:
    result = engine.audit.query(AuditFilter(**filters))
    assert result.filter_applied == AuditFilter(**filters)
    return [int(record.decision) for record in result.records]


def test_each_filter(filled: GovernanceEngine) -> None:
    assert found(filled) == list(range(12))
    assert found(filled, agent_id="agent-1") == [1, 3, 5, 7, 9, 11]
    assert found(filled, outcome=GovernanceOutcome.DENY) == [1, 4, 7, 10]
    assert found(filled, outcome="deny", agent_id="agent-1") == [1, 7]
    assert found(filled, action_type="type-3") == [3, 7, 11]
    assert found(filled, resource="res-5") == [5, 11]
    assert found(filled, agent_id="nobody") == []


def test_since_is_inclusive_and_until_exclusive(filled: GovernanceEngine) -> None:
    times = [record.timestamp for record in filled.audit.query().records]
    assert found(filled, since=times[3], until=times[6]) == [3, 4, 5]
    assert found(filled, since=times[11]) == [11]
    assert found(filled, until=times[0]) == []


def test_limit_offset_and_the_total_before_them(filled: GovernanceEngine) -> None:
    assert found(filled, limit=0) == list(range(12))
    assert found(filled, limit=2) == [0, 1]
    assert found(filled, limit=2, offset=9) == [9, 10]
    assert found(filled, offset=11) == [11]
    assert found(filled, offset=12) == []
    assert found(filled, agent_id="agent-0", limit=2, offset=1) == [2, 4]
    assert filled.audit.query(AuditFilter(agent_id="agent-0", limit=2, offset=1)).total_matched == 6


def test_the_latest_come_with_the_newest_last(filled: GovernanceEngine) -> None:
    assert [record.decision for record in filled.audit.latest(3)] == ["9", "10", "11"]
    assert len(filled.audit.latest()) == 10
    assert len(filled.audit.latest(100)) == 12
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="n must be a whole number of at least 1"):
            filled.audit.latest(wrong)


def test_more_than_a_page_is_read_to_its_end(engine: GovernanceEngine) -> None:
    for number in range(1100):
        engine.audit.log("allow", str(number))
    assert found(engine) == list(range(1100))
    assert [record.decision for record in engine.audit.latest(1050)][:2] == ["50", "51"]
    assert engine.audit.count() == 1100
    stream = engine.audit.stream(AuditFilter(offset=1000))
    assert next(stream).decision == "1000"


@pytest.mark.parametrize(
    ("field", "wrong"), [("limit", -1), ("offset", -1), ("limit", 1.5), ("offset", True), ("outcome", "maybe")]
)
def test_a_filter_that_makes_no_sense(field: str, wrong: object) -> None:
    with pytest.raises(ValueError, match=r"whole number of at least 0|allow, deny, allow_with_caveat"):
        AuditFilter(**{field: wrong})  # type: ignore[arg-type]


def test_an_outcome_that_is_none_is_not_logged(engine: GovernanceEngine) -> None:
    with pytest.raises(ValueError, match="not 'maybe'"):
        engine.audit.log("maybe", "?")
    assert engine.audit.count() == 0


def test_outcomes_are_aggregated(filled: GovernanceEngine) -> None:
    filled.audit.log("deny", "12")
    sums = aggregate_outcomes(filled.audit.query().records)
    assert sums == {"allow": 4, "deny": 5, "allow_with_caveat": 4, "total": 13, "denial_rate": 5 / 13}
    assert aggregate_outcomes([]) == {"allow": 0, "deny": 0, "allow_with_caveat": 0, "total": 0, "denial_rate": 0.0}


def test_without_context_only_the_agent_is_kept(make_engine: MakeEngine) -> None:
    engine = make_engine(GovernanceConfig(audit=AuditConfig(include_context=False)))
    engine.audit.log("allow", "ok", context=CONTEXT)
    engine.evaluate_sync(GovernanceAction("a", action_type="t", resource="r", purpose="p", extra={"x": 1}))
    assert [record.context for record in engine.audit.query().records] == [GovernanceDecisionContext("a")] * 2


def test_a_data_frame_has_a_row_for_each_decision(filled: GovernanceEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = ModuleType("pandas")
    frames.DataFrame = lambda rows, columns: (list(rows), columns)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pandas", frames)
    rows, columns = filled.audit.to_dataframe(AuditFilter(outcome="deny"))
    assert [row[columns.index("decision")] for row in rows] == ["1", "4", "7", "10"]
    assert [row[columns.index("agent_id")] for row in rows] == ["agent-1", "agent-0", "agent-1", "agent-0"]
    assert all(len(row) == len(columns) for row in rows)


def test_without_pandas_one_sentence_says_so(engine: GovernanceEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"^to_dataframe\(\) needs pandas, which is not installed: pip install"):
        engine.audit.to_dataframe()
