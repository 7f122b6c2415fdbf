"""Selections: declarations of the searches that operations make, such as for all open holds of a kernel.

`Work.select` executes a selection; each backend derives its own search from the declaration. A selection that only one
operation needs is declared beside that operation.
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
    """A restriction of a selection to rows that belong to the notebooks of one owner, or of one server.

    The selected rows must be sessions, or have a ``session_id``. The enum's value is the number of values that the
    caller must pass for the restriction with each search.
    """

    OWNER = 1
    """Only rows of notebooks of an owner; the caller passes the ``owner``."""
    SERVER = 2
    """Only rows of notebooks that a server shows (see `files.lies_in`); the caller passes its ``owner`` and
    ``root``."""


class Selection(Generic[RowT]):
    """A search for the rows of one class that meet all conditions, returned in order of their primary keys.

    With each search the caller passes values: first those that ``notebooks_of`` needs (for example an owner and a
    root), then one for each `GIVEN` value of the conditions, in order.
    """

    __slots__ = ("kind", "notebooks_of", "where")

    def __init__(self, kind: type[RowT], *where: Condition, notebooks_of: NotebooksOf | None = None) -> None:
        self.kind = kind
        self.where = where
        self.notebooks_of = notebooks_of


DUE_HOLDS: Final = Selection(ChargeRow, TIMED, COUNTING, at_most("until"))
"""Selects the open holds that have expired at a time, which the caller passes in microseconds since the epoch."""
DUE_APPROVALS: Final = Selection(ApprovalRow, PENDING, at_most("until"))
"""Selects the pending approval requests that have expired at a time, which the caller passes in microseconds."""
ESTIMATES_OF_REFERENCE: Final = Selection(EstimateRow, REFERENCED, given("reference"))
"""Selects the estimated charges with one reference of a provider, including those that were adjusted already."""
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
"""Selects the former notebooks that were joined to one notebook, whose id the caller passes."""
ALL_CEILINGS: Final = Selection(CeilingRow)
MEMBERSHIPS: Final = Selection(MembershipRow)
CEILINGS_OF: Final = Selection(EnvelopeRow, given("kind"), given("subject"))
BUDGETS_OF_SESSION: Final = Selection(EnvelopeRow, given("subject"), equal("kind", "category"))
"""Selects the budgets of categories in one session, whose id the caller passes."""
BALANCES_OF: Final = Selection(BalanceRow, given("envelope_id"))
CHARGES_IN: Final = Selection(ChargeRow, has("envelopes"))
"""Selects the charges under one envelope, whose id the caller passes. The search reads every charge."""
SESSIONS_IN: Final = Selection(SessionRow, has("outer_envelopes"))
"""Selects the sessions that one ceiling limits; the caller passes its envelope's id. The search reads every session."""
TRUST_OF_REALM: Final = Selection(TrustRow, given("realm"))
"""Selects the trust levels of agents in a realm (see `agreements`), including rows whose level was removed."""
CONSENTS_OF_REALM: Final = Selection(ConsentRow, given("realm"))
"""Selects the consents in a realm (see `agreements`), including revoked ones."""
CONSENTS_OF_AGENT: Final = Selection(ConsentRow, given("realm"), given("agent_id"))
"""Selects the consents of one agent in a realm (see `agreements`), including revoked ones."""
