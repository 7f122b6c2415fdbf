"""The sets of rows that operations go through. A backend needs no line for each: it makes what it needs of these.

A selection that one operation alone needs is declared beside that operation.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Generic

from .conditions import Condition, at_most, equal, given, has
from .rows import (
    COUNTING,
    HELD,
    LIVE,
    ONGOING,
    PENDING,
    REFERENCED,
    TIMED,
    UNSEEN,
    ApprovalRow,
    BalanceRow,
    CeilingRow,
    ChargeRow,
    ConsentRow,
    EnvelopeRow,
    EstimateRow,
    MembershipRow,
    NotebookAliasRow,
    NotebookRow,
    ReportRow,
    SessionRow,
    TrustRow,
)
from .tables import RowT

__all__ = [
    "ALIASES_OF_NOTEBOOK",
    "ALL_CEILINGS",
    "BALANCES_OF",
    "BUDGETS_OF_SESSION",
    "CEILINGS_OF",
    "CHARGES_IN",
    "CONSENTS_OF_AGENT",
    "CONSENTS_OF_REALM",
    "COUNTING_HOLDS",
    "DUE_APPROVALS",
    "DUE_HOLDS",
    "ESTIMATES_OF_REFERENCE",
    "HOLDS_OF_KERNEL",
    "HOLDS_OF_SERVER",
    "MEMBERSHIPS",
    "NOTEBOOKS_OF_OWNER",
    "OPEN_SESSIONS_OF_OWNER",
    "PENDING_OF_KERNEL",
    "PENDING_OF_SERVER",
    "SESSIONS_IN",
    "SESSIONS_OF_NOTEBOOK",
    "TRUST_OF_REALM",
    "UNSEEN_REPORTS",
    "Of",
    "Selection",
]


class Of(Enum):
    """Whose notebooks a selection's rows belong to. The rows are sessions, or have a ``session_id``."""

    OWNER = 1
    """Those of the ``owner`` that is given."""
    SERVER = 2
    """Those of the ``owner`` and ``root`` that are given, as `files.lies_in` says."""


class Selection(Generic[RowT]):
    """All rows of a kind for which all conditions hold, in order of their keys.

    Given with each use are the values of ``of``, then those of the conditions, in order.
    """

    __slots__ = ("kind", "of", "where")

    def __init__(self, kind: type[RowT], *where: Condition, of: Of | None = None) -> None:
        self.kind = kind
        self.where = where
        self.of = of


DUE_HOLDS: Final = Selection(ChargeRow, TIMED, COUNTING, at_most("until"))
"""Holds that are not resolved and whose stated time is at or before the one given."""
DUE_APPROVALS: Final = Selection(ApprovalRow, PENDING, at_most("until"))
"""Pending approvals whose stated time is at or before the one given."""
ESTIMATES_OF_REFERENCE: Final = Selection(EstimateRow, REFERENCED, given("reference"))
"""Estimated charges, adjusted ones included."""
_HELD: Final = equal("state", HELD)
HOLDS_OF_KERNEL: Final = Selection(ChargeRow, COUNTING, _HELD, given("incarnation"))
HOLDS_OF_SERVER: Final = Selection(ChargeRow, COUNTING, _HELD, of=Of.SERVER)
COUNTING_HOLDS: Final = Selection(ChargeRow, COUNTING, of=Of.SERVER)
PENDING_OF_KERNEL: Final = Selection(ApprovalRow, PENDING, given("incarnation"))
PENDING_OF_SERVER: Final = Selection(ApprovalRow, PENDING, of=Of.SERVER)
UNSEEN_REPORTS: Final = Selection(ReportRow, UNSEEN, of=Of.SERVER)
OPEN_SESSIONS_OF_OWNER: Final = Selection(SessionRow, ONGOING, of=Of.OWNER)
SESSIONS_OF_NOTEBOOK: Final = Selection(SessionRow, given("notebook_id"))
NOTEBOOKS_OF_OWNER: Final = Selection(NotebookRow, given("owner"), LIVE)
ALIASES_OF_NOTEBOOK: Final = Selection(NotebookAliasRow, given("notebook_id"))
"""The notebooks that turned out to be the one with this ``notebook_id``."""
ALL_CEILINGS: Final = Selection(CeilingRow)
MEMBERSHIPS: Final = Selection(MembershipRow)
CEILINGS_OF: Final = Selection(EnvelopeRow, given("kind"), given("subject"))
BUDGETS_OF_SESSION: Final = Selection(EnvelopeRow, given("subject"), equal("kind", "category"))
"""The categories' envelopes of the session with this id."""
BALANCES_OF: Final = Selection(BalanceRow, given("envelope_id"))
CHARGES_IN: Final = Selection(ChargeRow, has("envelopes"))
"""All charges that count in the envelope with this id; reads every charge."""
SESSIONS_IN: Final = Selection(SessionRow, has("outer_envelopes"))
"""All sessions that the envelope with this id encloses; reads every session."""
TRUST_OF_REALM: Final = Selection(TrustRow, given("realm"))
"""Trust levels, removed ones included."""
CONSENTS_OF_REALM: Final = Selection(ConsentRow, given("realm"))
"""Consents, revoked ones included."""
CONSENTS_OF_AGENT: Final = Selection(ConsentRow, given("realm"), given("agent_id"))
"""Consents, revoked ones included."""
