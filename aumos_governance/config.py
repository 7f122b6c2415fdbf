"""The settings of a `GovernanceEngine`: ``GovernanceEngine(GovernanceConfig(trust=TrustConfig(default_level=2)))``.

Keywords of the earlier SDK (0.1.0) that would break a guarantee raise ConfigurationError. Keywords that no longer have
an effect are accepted with a DeprecationWarning, so that old code runs.
"""

from __future__ import annotations

import warnings
from dataclasses import InitVar, dataclass, field

from .errors import ConfigurationError
from .types import TrustLevel

__all__ = ["AuditConfig", "BudgetConfig", "ConsentConfig", "GovernanceConfig", "TrustConfig"]


@dataclass(frozen=True)
class TrustConfig:
    """Settings of trust levels. An agent has the level ``default_level`` until a level is set for it.

    Raises ConfigurationError for a level outside 0 to 5, and for ``enable_decay=True``: levels never change by
    themselves.
    """

    default_level: int = 1
    enable_decay: InitVar[bool] = False
    decay_cliff_days: InitVar[int | None] = None
    decay_gradual_days: InitVar[int | None] = None

    def __post_init__(self, enable_decay: bool, decay_cliff_days: int | None, decay_gradual_days: int | None) -> None:
        level: object = self.default_level  # the caller may have passed any type
        if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= 5:
            raise ConfigurationError(f"default_level must be a whole number from 0 to 5, not {level!r}.")
        object.__setattr__(self, "default_level", TrustLevel(level))
        if enable_decay:
            raise ConfigurationError(
                "enable_decay=True is not possible: a trust level is set by a user and never changes by itself."
            )
        _warn_without_effect("decay_cliff_days", decay_cliff_days, "trust levels never decay")
        _warn_without_effect("decay_gradual_days", decay_gradual_days, "trust levels never decay")


@dataclass(frozen=True)
class BudgetConfig:
    """Settings of budgets. With ``allow_overdraft`` a spend that exceeds its budget is charged and recorded with the
    flag ``overrun``, instead of being denied.

    Raises ConfigurationError for ``rollover_on_reset=True``: no amount is carried over to the next period.
    """

    allow_overdraft: bool = False
    rollover_on_reset: InitVar[bool] = False

    def __post_init__(self, rollover_on_reset: bool) -> None:
        if rollover_on_reset:
            raise ConfigurationError(
                "rollover_on_reset=True is not possible: a budget is a static ceiling, and what is left of one"
                " period never raises the next."
            )


@dataclass(frozen=True)
class ConsentConfig:
    """Settings of consents. A use of data without a recorded consent is denied if ``default_deny`` is True, and allowed
    if it is False.
    """

    default_deny: bool = True


@dataclass(frozen=True)
class AuditConfig:
    """Settings of the audit trail. With ``include_context`` a decision's record also has the action's type, resource,
    scope, budget category, data type, purpose and ``extra``.
    """

    include_context: bool = True
    max_records: InitVar[int | None] = None

    def __post_init__(self, max_records: int | None) -> None:
        _warn_without_effect("max_records", max_records, "no audit record is ever evicted")


@dataclass(frozen=True)
class GovernanceConfig:
    """All settings of a `GovernanceEngine`, in one object for each subject. Without arguments, all have defaults."""

    trust: TrustConfig = field(default_factory=TrustConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    consent: ConsentConfig = field(default_factory=ConsentConfig)
    audit: AuditConfig = field(default_factory=AuditConfig)


def _warn_without_effect(name: str, value: object, reason: str) -> None:
    if value is not None:
        # The caller is three frames up, above __post_init__ and the generated __init__.
        warnings.warn(f"{name} has no effect: {reason}.", DeprecationWarning, stacklevel=4)
