"""The operations that reverse or reduce charges.

A client cancels a request that it has given up (`Void`), the ledger reverses charges whose commit was not confirmed
(`TakeBack`), and a user reduces a charge by a correction (`Correct`).
"""

from __future__ import annotations

from typing import Any, Final

from .... import money
from ....errors import ConflictError, InvalidAmountError, InvalidRequestError, NotAllowedError, NotFoundError
from ...contract.budgets import ChargeState, Corrected
from ...contract.charges import Correct, TakeBack, Void
from ...contract.facts import Found, Origin, Voided
from ...rules.content import KEEP_RESPONSES
from ...transaction.rows import ChainRow, ChargeRow, CorrectionRow, NotebookRow, ResponseRow
from ...transaction.selections import SESSIONS_OF_NOTEBOOK
from ...transaction.work import Work, record
from ..balances import balances_of, change_balances, state_at, state_of
from ..reach import may_name, session_and_notebook
from ..registry import operation

_ON_ITS_WAY: Final = 1_000_000
"""The age of a response, in microseconds, from which the record of a cancel states that the response was ``answered``.

A younger response may still have been on its way to the client when the client sent the cancel.
"""
_TAKEN_BACK: Final = "The request was cancelled"
_TAKEN_BACK_UNSEEN: Final = "The request was cancelled after its response had arrived, which was not handed over"


@operation(Void)
def void(work: Work, request: Void) -> Voided:
    """Execute `Void`: reverse the charge of another request of the caller, or refuse that request when it arrives."""
    if request.of == request.key:
        raise InvalidRequestError("A request cannot cancel itself; state the key of another request to cancel.")
    stored = work.find(ResponseRow, request.origin.scope, request.of)
    if stored is None:
        # Computed before any change, since a selection writes what was changed.
        response = _unseen(work, request, work.now)
        work.add(
            ResponseRow(
                scope=request.origin.scope,
                key=request.of,
                digest="",
                at=work.now,
                expires_at=None,
                notebook_id=None,
                charge_id=None,
                cancelled=True,
                answer=None,
            )
        )
        return response
    if stored.cancelled and not stored.digest:
        return _unseen(work, request, stored.at)
    if stored.cancelled:
        return Voided(True, state_at(work, request.notebook), Found.CHARGE)
    charge = None if stored.charge_id is None else work.get(ChargeRow, stored.charge_id)
    late = stored.expires_at is not None and work.now > stored.expires_at
    if charge is None or charge.corrected or charge.state not in (ChargeState.SPENT, ChargeState.HELD):
        return Voided(False, state_at(work, request.notebook), Found.NO_CHARGE if charge is None else Found.RESOLVED)
    detail: dict[str, Any] = {"ask": request.of}
    if late:
        detail["late"] = True
    if work.now - stored.at >= _ON_ITS_WAY:
        detail["answered"] = True
    if request.delivered:
        detail["delivered"] = True
    why = _TAKEN_BACK_UNSEEN if request.delivered else _TAKEN_BACK
    notebook = _reverse(work, charge, stored, request.origin, why, detail)
    return Voided(True, state_of(work, notebook), Found.CHARGE)


def _unseen(work: Work, request: Void, since: int) -> Voided:
    """Return the response to a cancel of a request that the ledger does not know.

    ``since`` is the time of the first cancel of that request, in microseconds since the epoch.
    """
    notebook = work.notebook(request.notebook)
    sessions = () if notebook is None else work.select(SESSIONS_OF_NOTEBOOK, notebook.id)
    # The ledger still has the keys of all requests of a younger notebook.
    old = any(session.opened_at <= since - KEEP_RESPONSES for session in sessions)
    return Voided(not old, state_at(work, request.notebook), Found.UNKNOWN if old else Found.NOTHING)


@operation(TakeBack)
def take_back(work: Work, request: TakeBack) -> int:
    """Execute `TakeBack`: reverse those of the charges that were committed although their callers got an error.

    Returns the number of charges that were reversed.
    """
    taken = 0
    for unconfirmed in request.charges:
        # Read first: a transaction that is still about to commit has locked this row, so this waits for it.
        if work.find(ChainRow, unconfirmed.session_id) is None:
            continue
        charge = work.find(ChargeRow, unconfirmed.charge_id)
        if charge is None or charge.corrected or charge.state not in (ChargeState.SPENT, ChargeState.HELD):
            continue
        stored = work.find(ResponseRow, unconfirmed.scope, unconfirmed.key) if unconfirmed.key else None
        detail: dict[str, Any] = {"unconfirmed": True} | ({"ask": unconfirmed.key} if unconfirmed.key else {})
        _reverse(work, charge, stored, request.origin, "Its caller got no confirmation", detail)
        taken += 1
    return taken


def _reverse(
    work: Work, charge: ChargeRow, stored: ResponseRow | None, origin: Origin, why: str, detail: dict[str, Any]
) -> NotebookRow:
    """Reverse a spend or an open hold, record this, and return its notebook.

    ``stored`` is the stored response to the request that made the charge, if there is one; it is marked as cancelled,
    so that a copy of the request is refused. ``why`` and ``detail`` are for the record.
    """
    session, notebook = session_and_notebook(work, charge.session_id)
    spent, held = (charge.spent, 0) if charge.state == ChargeState.SPENT else (0, charge.amount)
    balances = balances_of(work, charge.envelopes, charge.at)
    charge.state = ChargeState.VOIDED.value
    charge.resolved_at = work.now
    charge.resolved_by = origin.actor
    work.save(charge)
    if stored is not None:
        stored.cancelled = True
        work.save(stored)
    change_balances(work, notebook, session, balances, spent=-spent, held=-held)
    record(
        work,
        session.id,
        notebook,
        origin,
        "void",
        reasons=(why,),
        agent_id=charge.agent_id,
        tool=charge.tool,
        amount=charge.amount,
        spent_delta=-spent,
        held_delta=-held,
        charge_id=charge.id,
        detail=detail,
    )
    return notebook


@operation(Correct)
def correct(work: Work, request: Correct) -> Corrected:
    """Execute `Correct`: store a user's correction, which reduces a charge."""
    if not request.origin.person:
        raise NotAllowedError("Only a user, and not code, may correct a charge.")
    if not request.reason.strip():
        raise InvalidRequestError("A correction needs a reason; state in a few words why the charge is reduced.")
    amount = request.amount
    if type(amount) is not int or amount <= 0:
        raise InvalidAmountError("The amount of a correction must be a whole number of nano-dollars, more than $0.")
    charge = work.find(ChargeRow, request.charge_id)
    spent = charge is not None and charge.state in (ChargeState.SPENT, ChargeState.SETTLED)
    if charge is None or not spent or not may_name(work, request.origin, charge):
        raise NotFoundError(f"There is no spent charge {request.charge_id!r} to correct.")
    left = charge.spent - charge.corrected
    if amount > left:
        raise ConflictError(
            f"Charge {charge.id!r} cannot be reduced by {money.display(amount)}: only {money.display(left)} of it is"
            " charged now."
        )
    session, notebook = session_and_notebook(work, charge.session_id)
    balances = balances_of(work, charge.envelopes, charge.at)
    charge.corrected += amount
    work.save(charge)
    correction = work.add(
        CorrectionRow(work.new_id(), charge.id, amount, request.reason, work.now, request.origin.actor)
    )
    change_balances(work, notebook, session, balances, spent=-amount, held=0)
    record_id = record(
        work,
        session.id,
        notebook,
        request.origin,
        "correct",
        reasons=(request.reason,),
        agent_id=charge.agent_id,
        tool=charge.tool,
        amount=amount,
        spent_delta=-amount,
        charge_id=charge.id,
        detail={"correction": correction.id},
    )
    return Corrected(correction.id, charge.id, amount, left - amount, record_id, state_of(work, notebook))
