"""What the package offers: complete, sorted, and each name from the module that the surface states."""

from __future__ import annotations

import pickle
from importlib import import_module
from typing import TypeVar

import pytest

import aumos_governance
from aumos_governance import errors, types

MODULES = [
    "audit.logger",
    "audit.query",
    "audit.record",
    "audit_chain",
    "authority.authorization",
    "budget.manager",
    "config",
    "consent.manager",
    "engine",
    "errors",
    "ledger.contract.base",
    "ledger.contract.terms",
    "money",
    "wire.bodies",
    "service.service",
    "wire.protocol",
    "realm",
    "trust.manager",
    "types",
]


def test_every_public_name_can_be_had() -> None:
    for name in aumos_governance.__all__:
        assert getattr(aumos_governance, name) is not None
    assert set(aumos_governance.__all__) <= set(dir(aumos_governance))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Governor'"):
        _ = aumos_governance.Governor


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_is_public(name: str) -> None:
    module = import_module(f"aumos_governance.{name}")
    defined = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and not isinstance(value, TypeVar)
        and getattr(value, "__module__", None) == module.__name__
    }
    assert defined <= set(module.__all__)
    assert all(hasattr(module, key) for key in module.__all__)


def test_every_error_and_type_is_exported() -> None:
    kinds = {name for name in errors.__all__ if name != "from_code"}
    assert kinds | set(types.__all__) <= set(aumos_governance.__all__)


def test_all_errors_form_one_tree_drawn_in_its_docstring() -> None:
    for name in errors.__all__:
        value = getattr(errors, name)
        if isinstance(value, type):
            assert issubclass(value, errors.AumOSGovernanceError)
            assert name in (errors.__doc__ or "")


@pytest.mark.parametrize(
    "error",
    [
        errors.TrustLevelError("agent", 3, 2, "files"),
        errors.BudgetExceededError("session", 10.0, 9.8),
        errors.BudgetNotFoundError("api"),
        errors.GovernanceDeniedError("agent", "Would exceed budget ($10.20 > $10.00)", "r1"),
        errors.InvalidAmountError("The amount must be more than 0 US dollars."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_carry_a_code_and_survive_pickling(error: errors.AumOSGovernanceError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == error.message
    assert error.code == error.default_code


def test_an_error_comes_back_from_its_code() -> None:
    error = errors.from_code("NOT_ALLOWED", "No.")
    assert type(error) is errors.NotAllowedError
    assert isinstance(errors.from_code("INVALID_AMOUNT", "No."), ValueError)
    unknown = errors.from_code("FROM_THE_FUTURE", "No.")
    assert type(unknown) is errors.AumOSGovernanceError
    assert unknown.code == "FROM_THE_FUTURE"


def test_an_outcome_equals_its_word() -> None:
    assert types.GovernanceOutcome.DENY == "deny"
    assert f"{types.GovernanceOutcome.ALLOW_WITH_CAVEAT}" == "allow_with_caveat"
    assert types.TrustLevel.L3_ACT_APPROVE.label() == "Act (Approval Required)"
    assert types.BUDGET_PERIOD_VALUES == ("daily", "weekly", "monthly", "yearly", "lifetime")
