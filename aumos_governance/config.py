"""Configuration of the SDK's engine.

Keywords of the earlier SDK (0.1.0) that would break a guarantee are refused; those that have nothing left to
configure are accepted, so that old code runs, and a DeprecationWarning says that they do nothing.
"""

from __future__ import annotations

import warnings
from dataclasses import InitVar, dataclass, field

from .errors import ConfigurationError
from .types import TrustLevel

__all__ = ["AuditConfig", "BudgetConfig", "ConsentConfig", "GovernanceConfig", "TrustConfig"]


@dataclass(frozen=True)
class TrustConfig:
    """``default_level`` is the level of an agent without one of its own.

    Raises ConfigurationError for a level outside 0 to 5, and for ``enable_decay=True``.
    """

    default_level: int = 1
    enable_decay: InitVar[bool] = False
    decay_cliff_days: InitVar[int | None] = None
    decay_gradual_days: InitVar[int | None] = None

    def __post_init__(self, enable_decay: bool, decay_cliff_days: int | None, decay_gradual_days: int | None) -> None:
        level: object = self.default_level  # whatever the caller gave
        if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= 5:
            raise ConfigurationError(f"default_level must be a whole number from 0 to 5, not {level!r}.")
        object.__setattr__(self, "default_level", TrustLevel(level))
        if enable_decay:
            raise ConfigurationError(
                "enable_decay=True is not possible: a trust level is set by a user and never changes by itself."
            )
        _without_effect("decay_cliff_days", decay_cliff_days, "trust levels never decay")
        _without_effect("decay_gradual_days", decay_gradual_days, "trust levels never decay")


@dataclass(frozen=True)
class BudgetConfig:
    """With ``allow_overdraft`` a spend above the limit is recorded, flagged ``overrun``, instead of refused.

    Raises ConfigurationError for ``rollover_on_reset=True``.
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
    """Without a record, a use of data is denied when ``default_deny`` is set, and allowed when it is not."""

    default_deny: bool = True


@dataclass(frozen=True)
class AuditConfig:
    """``include_context`` keeps an action's scope, resource and the like in its record."""

    include_context: bool = True
    max_records: InitVar[int | None] = None

    def __post_init__(self, max_records: int | None) -> None:
        _without_effect("max_records", max_records, "no audit record is ever evicted")


@dataclass(frozen=True)
class GovernanceConfig:
    """All settings of an engine; each part has defaults of its own."""

    trust: TrustConfig = field(default_factory=TrustConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    consent: ConsentConfig = field(default_factory=ConsentConfig)
    audit: AuditConfig = field(default_factory=AuditConfig)


def _without_effect(name: str, value: object, why: str) -> None:
    if value is not None:
        # The caller is three frames up: the generated __init__ and __post_init__ lie between.
        warnings.warn(f"{name} has no effect: {why}.", DeprecationWarning, stacklevel=4)
