"""An example of a whole operation of the ledger, as `docs/developing.md` describes one.

It records a note on the open holds of a tool, and counts them.
"""

from __future__ import annotations

from dataclasses import dataclass

from aumos_governance.errors import NotFoundError
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.queries import Query
from aumos_governance.ledger.contract.requests import Request
from aumos_governance.ledger.operations.balances import open_session_of
from aumos_governance.ledger.operations.registry import operation, reader
from aumos_governance.ledger.transaction.conditions import equal, given
from aumos_governance.ledger.transaction.rows import COUNTING, ChargeRow
from aumos_governance.ledger.transaction.selections import Selection
from aumos_governance.ledger.transaction.work import Work, record


@dataclass(frozen=True, slots=True)
class Noted:
    """The number of a tool's open holds at which a note was recorded."""

    note: str
    holds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteHolds(Request[Noted]):
    """Record a note on a tool's open holds in the notebook's open session; raise NotFoundError without a session."""

    notebook: NotebookKey
    tool: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountHolds(Query[int]):
    """How many open holds a tool has."""

    tool: str


_HOLDS_OF_TOOL = Selection(ChargeRow, COUNTING, equal("state", "held"), given("tool"))


@operation(NoteHolds)
def note_holds(work: Work, request: NoteHolds) -> Noted:
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    if notebook is None or session is None:
        raise NotFoundError("Governance is not active for this notebook.")
    holds = [row for row in work.select(_HOLDS_OF_TOOL, request.tool) if row.session_id == session.id]
    work.touch(notebook)
    record(work, session.id, notebook, request.origin, "note", tool=request.tool, reasons=(request.note,))
    return Noted(request.note, len(holds))


@reader(CountHolds)
def count_holds(work: Work, query: CountHolds) -> int:
    return len(work.select(_HOLDS_OF_TOOL, query.tool))
