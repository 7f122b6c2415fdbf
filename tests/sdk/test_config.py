from __future__ import annotations

import pytest

from aumos_governance import (
    AuditConfig,
    BudgetConfig,
    ConfigurationError,
    ConsentConfig,
    GovernanceConfig,
    TrustConfig,
)


def test_the_defaults() -> None:
    config = GovernanceConfig()
    assert config.trust.default_level == 1
    assert config.budget.allow_overdraft is False
    assert config.consent.default_deny is True
    assert config.audit.include_context is True


@pytest.mark.parametrize(
    ("kind", "keyword", "why"),
    [
        (TrustConfig, "enable_decay", "never changes by itself"),
        (BudgetConfig, "rollover_on_reset", "static ceiling"),
    ],
)
def test_what_breaks_a_guarantee_is_refused(kind: type, keyword: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        kind(**{keyword: True})
    assert caught.value.code == "CONFIGURATION_ERROR"
    assert kind(**{keyword: False}) == kind()


@pytest.mark.parametrize(
    ("kind", "keyword"),
    [(TrustConfig, "decay_cliff_days"), (TrustConfig, "decay_gradual_days"), (AuditConfig, "max_records")],
)
def test_what_has_nothing_left_to_configure_says_so(kind: type, keyword: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{keyword} has no effect") as caught:
        assert kind(**{keyword: 30}) == kind()
    assert caught[0].filename == __file__


@pytest.mark.parametrize("level", [-1, 6, 1.0, "1", True, None])
def test_a_default_level_is_one_of_six(level: object) -> None:
    with pytest.raises(ConfigurationError, match="from 0 to 5"):
        TrustConfig(default_level=level)  # type: ignore[arg-type]


def test_parts_are_given_by_name() -> None:
    config = GovernanceConfig(trust=TrustConfig(default_level=3), consent=ConsentConfig(default_deny=False))
    assert (config.trust.default_level, config.consent.default_deny) == (3, False)
