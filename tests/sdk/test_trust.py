from __future__ import annotations

import pytest

from aumos_governance import (
    GovernanceConfig,
    GovernanceEngine,
    SetLevelOptions,
    TrustConfig,
    TrustLevel,
    TrustLevelError,
    TrustManager,
)
from tests.ledger.kit import HOUR, Backend
from tests.sdk.conftest import MakeEngine


def test_a_manager_stands_alone() -> None:
    manager = TrustManager()
    manager.set_level("a", TrustLevel.L3_ACT_APPROVE)
    assert manager.get_level("a") is TrustLevel.L3_ACT_APPROVE
    assert TrustManager().get_level("a") is TrustLevel.L1_MONITOR


def test_an_unknown_agent_gets_the_default(make_engine: MakeEngine) -> None:
    assert make_engine().trust.get_level("a") is TrustLevel.L1_MONITOR
    strict = make_engine(GovernanceConfig(trust=TrustConfig(default_level=0)))
    assert strict.trust.get_level("a") is TrustLevel.L0_OBSERVER


def test_a_scope_beats_everywhere(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", 1)
    engine.trust.set_level("a", 4, scope="files")
    assert engine.trust.get_level("a", "files") is TrustLevel.L4_ACT_REPORT
    assert engine.trust.get_level("a", "mail") is TrustLevel.L1_MONITOR
    assert engine.trust.get_level("a") is TrustLevel.L1_MONITOR


def test_a_check_says_why(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", TrustLevel.L2_SUGGEST)
    allowed = engine.trust.check_level("a", TrustLevel.L2_SUGGEST)
    assert (allowed.allowed, allowed.actual_level, allowed.required_level) == (True, 2, 2)
    denied = engine.trust.check_level("a", 3, "files")
    assert not denied.allowed
    assert denied.reason == "Agent 'a' has trust level L2 in scope 'files', which is below L3"


def test_requiring_a_level_raises(engine: GovernanceEngine) -> None:
    engine.trust.require_level("a", 1)
    with pytest.raises(TrustLevelError) as caught:
        engine.trust.require_level("a", 5, "files")
    error = caught.value
    assert (error.agent_id, error.required_level, error.actual_level, error.scope) == ("a", 5, 1, "files")
    assert error.code == "TRUST_LEVEL_INSUFFICIENT"


def test_levels_are_taken_away_one_by_one(engine: GovernanceEngine) -> None:
    engine.trust.set_level("b", 2)
    engine.trust.set_level("a", 2)
    engine.trust.set_level("a", 3, scope="files")
    assert engine.trust.list_agents() == ["a", "b"]
    assert engine.trust.remove("a") is True
    assert engine.trust.remove("a") is False
    assert engine.trust.get_level("a") is TrustLevel.L1_MONITOR
    assert engine.trust.get_level("a", "files") is TrustLevel.L3_ACT_APPROVE
    assert engine.trust.list_agents() == ["a", "b"]
    assert engine.trust.remove("a", "files") is True
    assert engine.trust.list_agents() == ["b"]


def test_each_change_is_on_record(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", 2, options=SetLevelOptions(assigned_by="ann"))
    engine.trust.set_level("a", 4, options=SetLevelOptions("bob", force=True))
    engine.trust.remove("a")
    changes = [entry for entry in engine.audit.entries() if entry.event == "trust"]
    steps = [(entry.agent_id, entry.detail["from"], entry.detail["to"], entry.detail.get("by")) for entry in changes]
    assert steps == [("a", None, 2, "ann"), ("a", 2, 4, "bob"), ("a", 4, None, None)]


def test_a_touch_changes_no_level_and_writes_no_record(backend: Backend, engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", 3)
    engine.trust.set_level("a", 4, scope="files")
    before = list(engine.audit.entries())
    backend.clock.advance(1000 * 24 * HOUR)
    engine.trust.touch("a", "files")
    engine.trust.touch("nobody")
    assert list(engine.audit.entries()) == before
    assert [(known.scope, known.level) for known in engine.trust.assignments()] == [(None, 3), ("files", 4)]
    assert all(known.touched_at > known.assigned_at for known in engine.trust.assignments())


def test_levels_never_change_by_themselves(backend: Backend, engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", 5)
    backend.clock.advance(3650 * 24 * HOUR)
    assert engine.trust.get_level("a") is TrustLevel.L5_AUTONOMOUS


@pytest.mark.parametrize("method", ["set_level", "get_level", "check_level", "require_level", "touch", "remove"])
def test_an_agent_has_a_name(engine: GovernanceEngine, method: str) -> None:
    level = (TrustLevel.L2_SUGGEST,) if "_level" in method and method != "get_level" else ()
    with pytest.raises(ValueError, match="agent_id must be a non-empty string"):
        getattr(engine.trust, method)("", *level)


@pytest.mark.parametrize("wrong", [-1, 6, 2.0, "2", True, None])
def test_a_level_is_one_of_six(engine: GovernanceEngine, wrong: object) -> None:
    for method in (engine.trust.set_level, engine.trust.check_level):
        with pytest.raises(ValueError, match="must be a trust level from 0 to 5"):
            method("a", wrong)  # type: ignore[arg-type]
    assert engine.trust.list_agents() == []
