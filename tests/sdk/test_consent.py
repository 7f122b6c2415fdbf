from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from aumos_governance import (
    ConsentConfig,
    ConsentManager,
    ConsentNotFoundError,
    DataCategory,
    GovernanceConfig,
    GovernanceEngine,
)
from tests.ledger.kit import SECOND, Backend
from tests.sdk.conftest import MakeEngine


def now_of(backend: Backend) -> datetime:
    return datetime.fromtimestamp(backend.clock.now // SECOND, timezone.utc)


def test_a_manager_stands_alone() -> None:
    manager = ConsentManager(config=ConsentConfig(default_deny=True))
    manager.record_consent(agent_id="a", data_type="user_data", purpose="support", granted_by="admin")
    assert manager.check_consent("a", "user_data", "support").granted is True


def test_without_a_record_the_configuration_decides(make_engine: MakeEngine) -> None:
    denied = make_engine().consent.check_consent("a", DataCategory.HEALTH_DATA, "care")
    assert (denied.granted, denied.record) == (False, None)
    assert denied.reason == "No consent allows agent 'a' to use 'health_data' for 'care'"
    lenient = make_engine(GovernanceConfig(consent=ConsentConfig(default_deny=False)))
    assert lenient.consent.check_consent("a", "health_data").granted is True


def test_the_exact_purpose_counts_before_the_one_for_all(engine: GovernanceEngine) -> None:
    consent = engine.consent
    exact = consent.record_consent("a", "mail", "support", "ann")
    assert consent.check_consent("a", "mail", "support").record == exact
    assert consent.check_consent("a", "mail", "research").granted is False
    assert consent.check_consent("a", "mail").granted is False
    blanket = consent.record_consent("a", "mail", None, "bob")
    assert consent.check_consent("a", "mail", "support").record == exact
    assert consent.check_consent("a", "mail", "research").record == blanket
    assert consent.check_consent("a", "mail", "").record == blanket
    assert consent.check_consent("b", "mail", "support").granted is False
    assert consent.check_consent("a", "post", "support").granted is False


def test_an_expired_consent_does_not_count(backend: Backend, engine: GovernanceEngine) -> None:
    blanket = engine.consent.record_consent("a", "mail", None, "ann")
    until = now_of(backend) + timedelta(hours=1)
    exact = engine.consent.record_consent("a", "mail", "support", "ann", expires_at=until)
    assert exact.expires_at == until
    assert engine.consent.check_consent("a", "mail", "support").record == exact
    backend.clock.advance(3600 * SECOND)
    assert engine.consent.check_consent("a", "mail", "support").record == blanket
    assert engine.consent.list_consents("a") == [blanket, exact]


def test_a_record_knows_whether_it_is_over(engine: GovernanceEngine) -> None:
    now = datetime.now(timezone.utc)
    before = engine.consent.record_consent("a", "mail", None, "ann", now - timedelta(seconds=1))
    after = engine.consent.record_consent("a", "post", None, "ann", now + timedelta(days=1))
    never = engine.consent.record_consent("a", "chat", None, "ann")
    assert [record.is_expired() for record in (before, after, never)] == [True, False, False]


def test_a_time_without_a_zone_is_utc(engine: GovernanceEngine) -> None:
    record = engine.consent.record_consent("a", "mail", None, "ann", datetime(2030, 1, 1, 12, 30))  # noqa: DTZ001
    assert record.expires_at == datetime(2030, 1, 1, 12, 30, tzinfo=timezone.utc)
    east = timezone(timedelta(hours=5))
    record = engine.consent.record_consent("a", "mail", None, "ann", datetime(2030, 1, 1, 12, tzinfo=east))
    assert record.expires_at == datetime(2030, 1, 1, 7, tzinfo=timezone.utc)


def test_a_consent_given_again_replaces_the_first(engine: GovernanceEngine) -> None:
    engine.consent.record_consent("a", "mail", "support", "ann")
    engine.consent.record_consent("a", "mail", "support", "bob")
    assert [record.granted_by for record in engine.consent.list_consents("a")] == ["bob"]
    assert len([entry for entry in engine.audit.entries() if entry.event == "consent"]) == 2


def test_a_consent_is_taken_back(engine: GovernanceEngine) -> None:
    consent = engine.consent
    consent.record_consent("a", "mail", "support", "ann")
    consent.record_consent("a", "mail", None, "ann")
    consent.revoke_consent("a", "mail", "support")
    assert consent.check_consent("a", "mail", "support").granted is True
    consent.revoke_consent("a", "mail")
    assert consent.check_consent("a", "mail", "support").granted is False
    for purpose in ("support", None):
        with pytest.raises(ConsentNotFoundError) as caught:
            consent.revoke_consent("a", "mail", purpose)
        assert caught.value.code == "CONSENT_NOT_FOUND"
    assert [entry.event for entry in engine.audit.entries()].count("revoke") == 2


def test_all_of_an_agent_are_taken_back(engine: GovernanceEngine) -> None:
    engine.consent.record_consent("a", "mail", "support", "ann")
    engine.consent.record_consent("a", "health_data", None, "ann")
    engine.consent.record_consent("b", "mail", None, "ann")
    assert engine.consent.revoke_all_for_agent("a") == 2
    assert engine.consent.revoke_all_for_agent("a") == 0
    assert engine.consent.list_consents("a") == []
    assert len(engine.consent.list_consents("b")) == 1


@pytest.mark.parametrize("field", ["agent_id", "data_type", "granted_by"])
def test_a_missing_name_is_named(engine: GovernanceEngine, field: str) -> None:
    values = {"agent_id": "a", "data_type": "mail", "purpose": None, "granted_by": "ann", field: ""}
    with pytest.raises(ValueError, match=f"{field} must be a non-empty string"):
        engine.consent.record_consent(**values)  # type: ignore[arg-type]
    assert engine.consent.list_consents("a") == []


def test_an_empty_purpose_never_becomes_every_purpose(engine: GovernanceEngine) -> None:
    with pytest.raises(ValueError, match="purpose must be a non-empty string, or None"):
        engine.consent.record_consent("a", "mail", "", "ann")
    assert engine.consent.check_consent("a", "mail", "support").granted is False
