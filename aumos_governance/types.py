"""The enumerations that all other modules share: trust levels, outcomes, budget periods, kinds of action and of data.

The module does no input or output and imports only the standard library, so that kernels, servers and tools can
import it at no cost.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final

__all__ = [
    "BUDGET_PERIOD_VALUES",
    "ActionKind",
    "BudgetPeriod",
    "DataCategory",
    "GovernanceOutcome",
    "TrustLevel",
]


class TrustLevel(IntEnum):
    """How much a notebook or an agent may do, from L0 to L5. A user sets the level; it never changes by itself."""

    L0_OBSERVER = 0
    L1_MONITOR = 1
    L2_SUGGEST = 2
    L3_ACT_APPROVE = 3
    L4_ACT_REPORT = 4
    L5_AUTONOMOUS = 5

    def label(self) -> str:
        """Return the level's name as users see it, for example ``"Act (Approval Required)"``."""
        return _LABELS[self]

    def short(self) -> str:
        """Return the level's short name, for example ``"L2"``."""
        return f"L{int(self)}"


_LABELS: Final = {
    TrustLevel.L0_OBSERVER: "Observer",
    TrustLevel.L1_MONITOR: "Monitor",
    TrustLevel.L2_SUGGEST: "Suggest",
    TrustLevel.L3_ACT_APPROVE: "Act (Approval Required)",
    TrustLevel.L4_ACT_REPORT: "Act (Report After)",
    TrustLevel.L5_AUTONOMOUS: "Autonomous",
}


# A mixed-in str, and not a subclass of str alone, so that validation libraries know it as an enum;
# enum.StrEnum would need Python 3.11.
class GovernanceOutcome(str, Enum):
    """The outcome of a decision. Each member is equal to its string: ``GovernanceOutcome.DENY == "deny"``."""

    ALLOW = "allow"
    DENY = "deny"
    ALLOW_WITH_CAVEAT = "allow_with_caveat"

    def __str__(self) -> str:
        return self.value


class BudgetPeriod(str, Enum):
    """The calendar period of a budget, in UTC. In each period, spending starts from zero; ``lifetime`` never ends."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    LIFETIME = "lifetime"

    def __str__(self) -> str:
        return self.value


BUDGET_PERIOD_VALUES: Final[tuple[str, ...]] = tuple(period.value for period in BudgetPeriod)


class ActionKind(str, Enum):
    """The kind of a governed action: ``call`` is a paid call, for example of a model, and ``act`` is an action with
    effects beyond the notebook, for example sending mail.
    """

    CALL = "call"
    ACT = "act"

    def __str__(self) -> str:
        return self.value


class DataCategory:
    """Common names of the data types that a consent covers. Any other string is a valid data type as well."""

    PERSONAL_DATA: Final = "personal_data"
    BEHAVIORAL_DATA: Final = "behavioral_data"
    FINANCIAL_DATA: Final = "financial_data"
    HEALTH_DATA: Final = "health_data"
    LOCATION_DATA: Final = "location_data"
    COMMUNICATION_DATA: Final = "communication_data"
