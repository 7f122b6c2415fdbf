"""Trust levels, budgets and an audit trail for what code and agents in a notebook may do and spend.

Everything public is importable from here, and imported only when it is used: loading the package costs a
kernel nothing, and a server does not load what only a kernel needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ._version import __version__

if TYPE_CHECKING:
    from .errors import (
        AumOSGovernanceError,
        BudgetExceededError,
        BudgetNotFoundError,
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
        NotFoundError,
        ServerUnreachableError,
        TrustLevelError,
        UnavailableError,
    )
    from .types import (
        BUDGET_PERIOD_VALUES,
        ActionKind,
        BudgetPeriod,
        DataCategory,
        GovernanceOutcome,
        TrustLevel,
    )

__all__ = [
    "BUDGET_PERIOD_VALUES",
    "ActionKind",
    "AumOSGovernanceError",
    "BudgetExceededError",
    "BudgetNotFoundError",
    "BudgetPeriod",
    "ConfigurationError",
    "ConflictError",
    "ConsentDeniedError",
    "ConsentNotFoundError",
    "DataCategory",
    "ExpiredError",
    "GovernanceDeniedError",
    "GovernanceOutcome",
    "IdempotencyError",
    "InvalidAmountError",
    "InvalidPeriodError",
    "InvalidRequestError",
    "LedgerError",
    "LedgerVersionError",
    "NotAllowedError",
    "NotFoundError",
    "ServerUnreachableError",
    "TrustLevel",
    "TrustLevelError",
    "UnavailableError",
    "__version__",
]

_HOMES: Final = {
    "errors": (
        "AumOSGovernanceError",
        "BudgetExceededError",
        "BudgetNotFoundError",
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
        "NotFoundError",
        "ServerUnreachableError",
        "TrustLevelError",
        "UnavailableError",
    ),
    "types": (
        "BUDGET_PERIOD_VALUES",
        "ActionKind",
        "BudgetPeriod",
        "DataCategory",
        "GovernanceOutcome",
        "TrustLevel",
    ),
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
