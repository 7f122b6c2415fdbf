"""Selections: the sets of rows that operations search for. Each backend derives its searches from these declarations.

A selection that only one operation needs is declared beside that operation.
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


class NotebooksOf(Enum):
    """A restriction of a selection to the notebooks of an owner or server; its value is the number of its parameters.

    The rows must be sessions, or have a ``session_id``.
    """

    OWNER = 1
    """Rows whose notebook has this ``owner``."""
    SERVER = 2
    """Rows whose notebook a server with this ``owner`` and ``root`` shows, by `files.lies_in`."""


class Selection(Generic[RowT]):
    """The rows of one class that meet all conditions, in order of their keys.

    Each use of a selection passes values: first the values that ``notebooks_of`` needs, then a value for each `GIVEN`,
    in order.
    """

    __slots__ = ("kind", "notebooks_of", "where")

    def __init__(self, kind: type[RowT], *where: Condition, notebooks_of: NotebooksOf | None = None) -> None:
        self.kind = kind
        self.where = where
        self.notebooks_of = notebooks_of


DUE_HOLDS: Final = Selection(ChargeRow, TIMED, COUNTING, at_most("until"))
"""Open holds that expire at this time or earlier."""
DUE_APPROVALS: Final = Selection(ApprovalRow, PENDING, at_most("until"))
"""Pending approvals that expire at this time or earlier."""
ESTIMATES_OF_REFERENCE: Final = Selection(EstimateRow, REFERENCED, given("reference"))
"""Estimates with this reference, those already adjusted included."""
_HELD: Final = equal("state", HELD)
HOLDS_OF_KERNEL: Final = Selection(ChargeRow, COUNTING, _HELD, given("incarnation"))
HOLDS_OF_SERVER: Final = Selection(ChargeRow, COUNTING, _HELD, notebooks_of=NotebooksOf.SERVER)
COUNTING_HOLDS: Final = Selection(ChargeRow, COUNTING, notebooks_of=NotebooksOf.SERVER)
PENDING_OF_KERNEL: Final = Selection(ApprovalRow, PENDING, given("incarnation"))
PENDING_OF_SERVER: Final = Selection(ApprovalRow, PENDING, notebooks_of=NotebooksOf.SERVER)
UNSEEN_REPORTS: Final = Selection(ReportRow, UNSEEN, notebooks_of=NotebooksOf.SERVER)
OPEN_SESSIONS_OF_OWNER: Final = Selection(SessionRow, ONGOING, notebooks_of=NotebooksOf.OWNER)
SESSIONS_OF_NOTEBOOK: Final = Selection(SessionRow, given("notebook_id"))
NOTEBOOKS_OF_OWNER: Final = Selection(NotebookRow, given("owner"), LIVE)
ALIASES_OF_NOTEBOOK: Final = Selection(NotebookAliasRow, given("notebook_id"))
"""The notebooks that were joined to the notebook with this ``notebook_id``."""
ALL_CEILINGS: Final = Selection(CeilingRow)
MEMBERSHIPS: Final = Selection(MembershipRow)
CEILINGS_OF: Final = Selection(EnvelopeRow, given("kind"), given("subject"))
BUDGETS_OF_SESSION: Final = Selection(EnvelopeRow, given("subject"), equal("kind", "category"))
"""The envelopes of the category budgets in the session with this id."""
BALANCES_OF: Final = Selection(BalanceRow, given("envelope_id"))
CHARGES_IN: Final = Selection(ChargeRow, has("envelopes"))
"""The charges that count in the envelope with this id. It reads every charge."""
SESSIONS_IN: Final = Selection(SessionRow, has("outer_envelopes"))
"""The sessions that the envelope with this id encloses. It reads every session."""
TRUST_OF_REALM: Final = Selection(TrustRow, given("realm"))
"""The trust levels of agents in a realm, removed ones included."""
CONSENTS_OF_REALM: Final = Selection(ConsentRow, given("realm"))
"""The consents in a realm, revoked ones included."""
CONSENTS_OF_AGENT: Final = Selection(ConsentRow, given("realm"), given("agent_id"))
"""The consents of an agent in a realm, revoked ones included."""
