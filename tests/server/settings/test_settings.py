"""The extension's settings: their values, and the error message of each wrong value."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigList, DeferredConfigString

from aumos_governance.errors import ConfigurationError
from aumos_governance.server.extension import GovernanceExtension
from aumos_governance.server.settings.settings import Settings, read_settings
from aumos_governance.types import TrustLevel


def configured(**settings: Any) -> GovernanceExtension:
    return GovernanceExtension(config=Config({"GovernanceExtension": settings}))


def read(**settings: Any) -> Settings:
    extension = configured(**settings)
    names = ("default_budget", "default_trust_level", "max_budget", "max_trust_level", "warn_at", "strict")
    chosen = {name: getattr(extension, name) for name in names}
    return read_settings(**chosen, autostart=extension.autostart, database_url=extension.database_url)


@pytest.mark.parametrize("written", ["10", 10, 10.0, Decimal("10.00"), "$10", DeferredConfigString("10")])
def test_a_budget_is_the_same_however_it_is_written(written: Any) -> None:
    assert read(default_budget=written).terms.default_budget == 10_000_000_000


def test_a_float_counts_as_the_digits_that_were_typed() -> None:
    assert read(default_budget=0.1).body()["default_budget"] == "0.1"
    assert read(warn_at=[0.1, 0.7]).warn_at == ("0.1", "0.7")


@pytest.mark.parametrize("written", [3, "3", "L3", TrustLevel.L3_ACT_APPROVE, DeferredConfigString("L3")])
def test_a_trust_level_is_the_same_however_it_is_written(written: Any) -> None:
    assert read(default_trust_level=written).terms.default_trust_level is TrustLevel.L3_ACT_APPROVE


@pytest.mark.parametrize("written", [None, DeferredConfigString("None")])
def test_no_maximum(written: Any) -> None:
    assert read(max_budget=written).terms.max_budget is None


@pytest.mark.parametrize(
    "written", [["0.50", 0.8, 1], ("0.5", Decimal("0.8"), "1.0"), DeferredConfigList(["0.5", "0.8", "1"])]
)
def test_fractions(written: Any) -> None:
    assert read(warn_at=written).body()["warn_at"] == ["0.5", "0.8", "1"]


def test_no_fractions() -> None:
    assert read(warn_at=[]).warn_at == ()


def test_the_default_ledger_lies_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert configured().database_url == f"sqlite:///{tmp_path}/aumos_governance/ledger.sqlite"


BUDGETS = "must be an amount from 0 to 1000000000 US dollars with at most 9 decimals"
LEVELS = "must be a trust level, a whole number from 0 to 5."
FRACTIONS = "must be a list of rising fractions, each above 0 and at most 1, for example [0.5, 0.8]."

SECONDS = "must be a number of seconds, more than 0 and at most 604800, which is a week."


@pytest.mark.parametrize("written", [60, "60", 60.0, DeferredConfigString("60")])
def test_a_time_is_the_same_however_it_is_written(written: Any) -> None:
    assert configured(approval_timeout=written).approval_timeout == 60.0
    assert configured().approval_timeout == 600.0


@pytest.mark.parametrize(
    ("name", "value", "valid"),
    [
        *(("default_budget", value, f"{BUDGETS}.") for value in ("nan", float("nan"), float("inf"), -1, "ten", True)),
        *(("default_budget", value, f"{BUDGETS}.") for value in (None, "1e10", "0.0000000001", [], b"1")),
        pytest.param("default_budget", 10**5000, f"{BUDGETS}.", id="endless"),
        *(("max_budget", value, f"{BUDGETS}, or None for no limit.") for value in ("nan", -0.01, "None?")),
        *(("default_trust_level", value, LEVELS) for value in (9, -1, "L9", 2.0, 2.5, True, None, "two")),
        ("max_trust_level", 6, LEVELS),
        *(("approval_timeout", value, SECONDS) for value in (0, -1, "nan", "soon", None, True, 1e7, [])),
        *(("warn_at", value, FRACTIONS) for value in (0.5, None, [0], [-0.5], [1.1], ["nan"], ["half"])),
        *(("warn_at", value, FRACTIONS) for value in ([True], [0.8, 0.5], [0.5, 0.5], ["1e-20"], [None])),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(name: str, value: Any, valid: str) -> None:
    with pytest.raises(TraitError) as refused:
        configured(**{name: value})
    sentence = str(refused.value)
    assert sentence.startswith(f"GovernanceExtension.{name} is ")
    assert sentence.endswith(valid)
    assert len(sentence) < 300
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"max_budget": 5},
            "GovernanceExtension.default_budget is $10.00, but must be at most $5.00, the max_budget.",
        ),
        (
            {"default_trust_level": 4, "max_trust_level": 3},
            "GovernanceExtension.default_trust_level is 4, but must be at most 3, the max_trust_level.",
        ),
    ],
)
def test_settings_that_contradict_each_other(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(**settings)
    assert refused.value.message == sentence


@pytest.mark.parametrize(
    ("written", "level", "budget"),
    [
        ({"trust_level": "L3", "budget": 5}, 3, 5_000_000_000),
        ({"budget": "0.5"}, 1, 500_000_000),
        ({"trust_level": 0}, 0, 10_000_000_000),
        ({}, 1, 10_000_000_000),
        (DeferredConfigString("{'trust_level': 4, 'budget': '7'}"), 4, 7_000_000_000),
    ],
)
def test_autostart_with_values_of_its_own(written: Any, level: int, budget: int) -> None:
    settings = read(autostart=written, default_trust_level=1)
    assert settings.autostart is True
    assert settings.body()["autostart"] is True
    assert settings.autostart_terms is not None
    assert settings.autostart_terms.default_trust_level == level
    assert settings.autostart_terms.default_budget == budget
    assert settings.terms.default_trust_level == 1, "other sessions start at the defaults"


@pytest.mark.parametrize(
    ("written", "on"),
    [(True, True), (False, False), *((DeferredConfigString(text), text in "True1") for text in ("True", "1", "0"))],
)
def test_autostart_at_the_defaults(written: Any, on: bool) -> None:
    settings = read(autostart=written)
    assert (settings.autostart, settings.autostart_terms) == (on, None)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("yes", "GovernanceExtension.autostart is 'yes', but must be True, False, or a dict such as"),
        (1, "GovernanceExtension.autostart is 1, but must be True, False, or a dict such as"),
        (
            {"level": 3},
            "GovernanceExtension.autostart has the unknown field 'level'; its fields are trust_level and budget.",
        ),
        ({"trust_level": 9}, f"GovernanceExtension.autostart.trust_level is 9, but {LEVELS}"),
        ({"budget": "ten"}, f"GovernanceExtension.autostart.budget is 'ten', but {BUDGETS}."),
        ({"budget": None}, f"GovernanceExtension.autostart.budget is None, but {BUDGETS}."),
    ],
)
def test_autostart_that_makes_no_sense(written: Any, sentence: str) -> None:
    with pytest.raises(TraitError) as refused:
        configured(autostart=written)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("autostart", "sentence"),
    [
        ({"budget": 8}, "autostart.budget is $8.00, but must be at most $5.00, the max_budget."),
        ({"trust_level": 4}, "autostart.trust_level is 4, but must be at most 3, the max_trust_level."),
    ],
)
def test_autostart_stays_within_the_maxima(autostart: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(autostart=autostart, default_budget=5, max_budget=5, max_trust_level=3)
    assert refused.value.message == f"GovernanceExtension.{sentence}"


def test_a_default_may_be_the_maximum() -> None:
    terms = read(max_budget=10, max_trust_level=2).terms
    assert (terms.default_budget, terms.default_trust_level) == (terms.max_budget, terms.max_trust_level)


@pytest.mark.parametrize("name", sorted(GovernanceExtension.class_own_traits(config=True)))
def test_every_setting_is_explained(name: str) -> None:
    text = GovernanceExtension.class_own_traits(config=True)[name].help
    assert len(text) > 60
    assert text.rstrip().endswith((".", "autonomous."))


@pytest.mark.parametrize("written", [{"openai": {}}, DeferredConfigString("{'openai': {}}")])
def test_providers_are_held_as_they_are_written(written: Any) -> None:
    assert configured(providers=written).providers == {"openai": {}}


@pytest.mark.parametrize("written", ["openai", ["openai"], DeferredConfigString("{'openai'"), None])
def test_providers_that_are_no_dict_are_refused(written: Any) -> None:
    with pytest.raises(TraitError, match=r"^GovernanceExtension\.providers is .*, but must be a dict of providers"):
        configured(providers=written)


@pytest.mark.parametrize("written", [0, 8123, "8123", DeferredConfigString("8123")])
def test_the_gateways_port_is_read(written: Any) -> None:
    assert configured(gateway_port=written).gateway_port in (0, 8123)


@pytest.mark.parametrize("written", [-1, 65536, 1.5, True, "http", None])
def test_a_wrong_port_is_refused(written: Any) -> None:
    with pytest.raises(TraitError, match=r"^GovernanceExtension\.gateway_port is .*, but must be a port"):
        configured(gateway_port=written)
