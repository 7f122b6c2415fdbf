"""The package's public names: complete, sorted, and each from its documented module."""

from __future__ import annotations

import ast
import base64
import pickle
import re
from pathlib import Path

import pytest

import aumos_governance
from aumos_governance import errors, types

PACKAGE = Path(aumos_governance.__file__).parent

# What users import. In all other modules a name is for its own module alone if it begins with an underscore.
PUBLIC = [
    "aumos_governance",
    "aumos_governance.audit.logger",
    "aumos_governance.audit.query",
    "aumos_governance.audit.record",
    "aumos_governance.audit_chain",
    "aumos_governance.budget.manager",
    "aumos_governance.config",
    "aumos_governance.consent.manager",
    "aumos_governance.decorators",
    "aumos_governance.engine",
    "aumos_governance.errors",
    "aumos_governance.integrations.anthropic_wrapper",
    "aumos_governance.integrations.audited_client",
    "aumos_governance.integrations.clients",
    "aumos_governance.integrations.fake_provider",
    "aumos_governance.integrations.langchain",
    "aumos_governance.integrations.litellm",
    "aumos_governance.integrations.openai_agents",
    "aumos_governance.integrations.openai_wrapper",
    "aumos_governance.integrations.pydantic_ai",
    "aumos_governance.integrations.tool_guard",
    "aumos_governance.jupyter_extension",
    "aumos_governance.trust.manager",
    "aumos_governance.types",
]


def test_every_public_name_can_be_had() -> None:
    for name in aumos_governance.__all__:
        assert getattr(aumos_governance, name) is not None
    assert set(aumos_governance.__all__) <= set(dir(aumos_governance))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Governor'"):
        _ = aumos_governance.Governor


def test_the_public_modules_alone_list_their_names() -> None:
    listing = [file for file in PACKAGE.rglob("*.py") if re.search("^__all__ ", file.read_text("utf-8"), re.MULTILINE)]
    names = (".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in listing)
    assert sorted(name.removesuffix(".__init__") for name in names) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC[1:])
def test_a_public_module_lists_all_its_names(name: str) -> None:
    # Read and not imported: some frameworks fetch data or warn when they are imported.
    body = ast.parse((PACKAGE.parent / f"{name.replace('.', '/')}.py").read_text("utf-8")).body
    defined = {node.name for node in body if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))}
    assigned = {node.id for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Name)}
    imported = {alias.asname or alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names}
    (listed,) = (ast.literal_eval(node.value) for node in body if _is_list_of_names(node))
    assert {key for key in defined if not key.startswith("_")} <= set(listed) <= defined | assigned | imported


def _is_list_of_names(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"


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


# Written by a version in which `engine`, the documented module of both classes, defined them.
_OLD_PICKLE = (
    "gAJjYXVtb3NfZ292ZXJuYW5jZS5lbmdpbmUKR292ZXJuYW5jZUFjdGlvbgpxACmBcQFdcQIoWAMAAABib3RxA05OWAEAAAB4cQRH"
    "P/AAAAAAAABOTk5OfXEFWAQAAABjYWxscQZOTmViY2F1bW9zX2dvdmVybmFuY2UuZW5naW5lCkdvdmVybmFuY2VEZWNpc2lvbgpx"
    "BymBcQhdcQkoY2F1bW9zX2dvdmVybmFuY2UudHlwZXMKR292ZXJuYW5jZU91dGNvbWUKcQpYBQAAAGFsbG93cQuFcQxScQ2IWAQA"
    "AABmaW5lcQ6FcQ9YAgAAAHIxcRBoAU5OZWKGcREu"
)


def test_pickles_of_an_earlier_version_load() -> None:
    action, decision = pickle.loads(base64.b64decode(_OLD_PICKLE))
    assert action == aumos_governance.GovernanceAction("bot", budget_category="x", budget_amount=1.0)
    assert (decision.outcome, decision.allowed, decision.action) == ("allow", True, action)
    assert decision.code is None


@pytest.mark.parametrize(
    ("module", "names"),
    {
        "types": ("TrustLevel", "GovernanceOutcome", "BudgetPeriod", "DataCategory"),
        "engine": ("GovernanceEngine", "GovernanceAction", "GovernanceDecision"),
        "trust.manager": ("TrustManager", "TrustCheckResult", "SetLevelOptions"),
        "budget.manager": ("BudgetManager", "BudgetCheckResult", "SpendingTransaction"),
        "consent.manager": ("ConsentManager", "ConsentRecord", "ConsentCheckResult"),
        "audit.logger": ("AuditLogger",),
        "audit.record": ("AuditRecord", "GovernanceDecisionContext"),
        "audit.query": ("AuditFilter", "AuditQueryResult", "aggregate_outcomes"),
        "config": ("GovernanceConfig", "TrustConfig", "BudgetConfig", "ConsentConfig", "AuditConfig"),
        "integrations.openai_wrapper": ("GovernedOpenAIClient", "OpenAIAuditRecord"),
        "integrations.anthropic_wrapper": ("GovernedAnthropicClient", "AnthropicAuditRecord"),
        "decorators": ("governed",),
        "audit_chain": ("HashChainedAuditLog", "ChainedAuditRecord"),
    }.items(),
)
def test_each_name_of_the_sdk_is_where_its_surface_has_it(module: str, names: tuple[str, ...]) -> None:
    for name in names:
        # The module and name by which a pickle finds the class.
        found = pickle.loads(f"caumos_governance.{module}\n{name}\n.".encode())
        assert found is getattr(aumos_governance, name)
