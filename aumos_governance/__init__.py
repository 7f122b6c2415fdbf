"""Trust levels, budgets and an audit trail for what code and agents in a notebook may do and spend.

Every public name can be imported from here. Its module is imported when the name is first used, so that importing
the package is fast, and a server does not load modules that only a kernel needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ._version import __version__

if TYPE_CHECKING:
    from .audit.logger import AuditLogger
    from .audit.query import AuditFilter, AuditQueryResult, aggregate_outcomes
    from .audit.record import AuditRecord, GovernanceDecisionContext
    from .audit_chain import ChainedAuditRecord, HashChainedAuditLog
    from .authority.authorization import AsyncGrant, Authorization, Grant, Settlement
    from .budget.manager import BudgetBalance, BudgetCheckResult, BudgetManager, SpendingTransaction
    from .config import AuditConfig, BudgetConfig, ConsentConfig, GovernanceConfig, TrustConfig
    from .consent.manager import ConsentCheckResult, ConsentManager, ConsentRecord
    from .decorators import governed
    from .engine import Engine, GovernanceAction, GovernanceDecision, GovernanceEngine, default_engine
    from .errors import (
        AumOSGovernanceError,
        BudgetExceededError,
        BudgetNotFoundError,
        BusyError,
        ConfigurationError,
        ConflictError,
        ConsentDeniedError,
        ConsentNotFoundError,
        ExpiredError,
        GovernanceDeniedError,
        IdempotencyError,
        InvalidAmountError,
        InvalidPeriodError,
        InvalidRequestError,
        LedgerError,
        LedgerVersionError,
        NotAllowedError,
        NotConfirmedError,
        NotFoundError,
        ServerUnreachableError,
        TrustLevelError,
        UnavailableError,
    )
    from .integrations.anthropic_wrapper import AnthropicAuditRecord, GovernedAnthropicClient
    from .integrations.clients import govern
    from .integrations.openai_wrapper import GovernedOpenAIClient, OpenAIAuditRecord
    from .kernel.engine.notebook_engine import notebook_engine
    from .trust.manager import SetLevelOptions, TrustCheckResult, TrustManager
    from .types import BUDGET_PERIOD_VALUES, ActionKind, BudgetPeriod, DataCategory, GovernanceOutcome, TrustLevel

__all__ = [
    "BUDGET_PERIOD_VALUES",
    "ActionKind",
    "AnthropicAuditRecord",
    "AsyncGrant",
    "AuditConfig",
    "AuditFilter",
    "AuditLogger",
    "AuditQueryResult",
    "AuditRecord",
    "AumOSGovernanceError",
    "Authorization",
    "BudgetBalance",
    "BudgetCheckResult",
    "BudgetConfig",
    "BudgetExceededError",
    "BudgetManager",
    "BudgetNotFoundError",
    "BudgetPeriod",
    "BusyError",
    "ChainedAuditRecord",
    "ConfigurationError",
    "ConflictError",
    "ConsentCheckResult",
    "ConsentConfig",
    "ConsentDeniedError",
    "ConsentManager",
    "ConsentNotFoundError",
    "ConsentRecord",
    "DataCategory",
    "Engine",
    "ExpiredError",
    "GovernanceAction",
    "GovernanceConfig",
    "GovernanceDecision",
    "GovernanceDecisionContext",
    "GovernanceDeniedError",
    "GovernanceEngine",
    "GovernanceOutcome",
    "GovernedAnthropicClient",
    "GovernedOpenAIClient",
    "Grant",
    "HashChainedAuditLog",
    "IdempotencyError",
    "InvalidAmountError",
    "InvalidPeriodError",
    "InvalidRequestError",
    "LedgerError",
    "LedgerVersionError",
    "NotAllowedError",
    "NotConfirmedError",
    "NotFoundError",
    "OpenAIAuditRecord",
    "ServerUnreachableError",
    "SetLevelOptions",
    "Settlement",
    "SpendingTransaction",
    "TrustCheckResult",
    "TrustConfig",
    "TrustLevel",
    "TrustLevelError",
    "TrustManager",
    "UnavailableError",
    "__version__",
    "aggregate_outcomes",
    "default_engine",
    "govern",
    "governed",
    "notebook_engine",
]

_HOMES: Final = {
    "audit.logger": ("AuditLogger",),
    "audit.query": ("AuditFilter", "AuditQueryResult", "aggregate_outcomes"),
    "audit.record": ("AuditRecord", "GovernanceDecisionContext"),
    "audit_chain": ("ChainedAuditRecord", "HashChainedAuditLog"),
    "authority.authorization": ("AsyncGrant", "Authorization", "Grant", "Settlement"),
    "budget.manager": ("BudgetBalance", "BudgetCheckResult", "BudgetManager", "SpendingTransaction"),
    "config": ("AuditConfig", "BudgetConfig", "ConsentConfig", "GovernanceConfig", "TrustConfig"),
    "consent.manager": ("ConsentCheckResult", "ConsentManager", "ConsentRecord"),
    "decorators": ("governed",),
    "engine": ("Engine", "GovernanceAction", "GovernanceDecision", "GovernanceEngine", "default_engine"),
    "errors": (
        "AumOSGovernanceError",
        "BudgetExceededError",
        "BudgetNotFoundError",
        "BusyError",
        "ConfigurationError",
        "ConflictError",
        "ConsentDeniedError",
        "ConsentNotFoundError",
        "ExpiredError",
        "GovernanceDeniedError",
        "IdempotencyError",
        "InvalidAmountError",
        "InvalidPeriodError",
        "InvalidRequestError",
        "LedgerError",
        "LedgerVersionError",
        "NotAllowedError",
        "NotConfirmedError",
        "NotFoundError",
        "ServerUnreachableError",
        "TrustLevelError",
        "UnavailableError",
    ),
    "integrations.anthropic_wrapper": ("AnthropicAuditRecord", "GovernedAnthropicClient"),
    "integrations.clients": ("govern",),
    "integrations.openai_wrapper": ("GovernedOpenAIClient", "OpenAIAuditRecord"),
    "kernel.engine.notebook_engine": ("notebook_engine",),
    "trust.manager": ("SetLevelOptions", "TrustCheckResult", "TrustManager"),
    "types": ("BUDGET_PERIOD_VALUES", "ActionKind", "BudgetPeriod", "DataCategory", "GovernanceOutcome", "TrustLevel"),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "aumos-governance"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .server.extension import GovernanceExtension

    return [{"module": "aumos_governance.server.extension", "app": GovernanceExtension}]
