"""The operation that replaces an estimated charge by its true cost, which a later response of the provider states."""

from __future__ import annotations

from typing import Any, Final

from .... import money
from ....errors import ConflictError, InvalidAmountError, InvalidRequestError, NotFoundError
from ....types import GovernanceOutcome
from ...contract.budgets import Adjusted
from ...contract.charges import Adjust
from ...transaction.rows import ChargeRow, EstimateRow, SessionRow
from ...transaction.selections import ESTIMATES_OF_REFERENCE
from ...transaction.work import Work, record
from ..balances import balances_of, change_balances, check_sums, state_of
from ..reach import may_name, session_and_notebook
from ..registry import operation

_NOT_ESTIMATED: Final = "NOT_ESTIMATED"
_ADJUSTED: Final = "ADJUSTED_ALREADY"
_CORRECTED: Final = "CORRECTED"


@operation(Adjust)
def adjust(work: Work, request: Adjust) -> Adjusted:
    """Execute `Adjust`: replace a charge's estimated amount by its true cost, and record both."""
    amount = request.amount
    if type(amount) is not int or not 0 <= amount <= money.MAX_NANO:
        raise InvalidAmountError(
            "The true cost of a charge must be a whole number of nano-dollars, from 0 to 1000000000 US dollars."
        )
    charge, estimate = _estimated(work, request)
    if estimate.adjusted is not None:
        raise ConflictError(
            f"Charge {charge.id!r} was adjusted to {money.display(estimate.adjusted)} already, so nothing was changed;"
            " a user can reduce it by a correction.",
            _ADJUSTED,
        )
    if charge.corrected:
        # A user has decided how much of this estimate is charged; an adjustment must not undo that.
        raise ConflictError(
            f"Charge {charge.id!r} was not adjusted, since a user has corrected it and so decided its amount.",
            _CORRECTED,
        )
    before, delta = charge.spent, amount - charge.spent
    session, notebook = session_and_notebook(work, charge.session_id)
    balances = balances_of(work, charge.envelopes, charge.at)
    check_sums(work, notebook, session, balances, max(0, delta), delta)
    charge.spent = amount
    work.save(charge)
    estimate.adjusted, estimate.adjusted_at = amount, work.now
    work.save(estimate)
    change_balances(work, notebook, session, balances, spent=delta, held=0)
    overrun = amount > charge.amount
    detail: dict[str, Any] = {"before": money.to_text(before), "after": money.to_text(amount)}
    reasons = [f"Adjusted from an estimated {money.display(before)} to {money.display(amount)}"]
    if overrun:
        reasons.append(f"Cost {money.display(amount)}, more than the {money.display(charge.amount)} held")
        detail["overrun"] = True
    record_id = record(
        work,
        session.id,
        notebook,
        request.origin,
        "adjust",
        outcome=GovernanceOutcome.ALLOW_WITH_CAVEAT if overrun else GovernanceOutcome.ALLOW,
        reasons=tuple(reasons),
        agent_id=charge.agent_id,
        tool=charge.tool,
        amount=amount,
        spent_delta=delta,
        charge_id=charge.id,
        detail=detail,
    )
    return Adjusted(charge.id, before, amount, overrun, record_id, state_of(work, notebook))


def _estimated(work: Work, request: Adjust) -> tuple[ChargeRow, EstimateRow]:
    if (request.charge_id is None) == (request.reference is None):
        raise InvalidRequestError("An adjustment must have either the charge's id or its reference, and not both.")
    if request.charge_id is not None:
        charge = work.find(ChargeRow, request.charge_id)
        if charge is None or not _is_callers(work, request, charge):
            raise NotFoundError(f"There is no charge {request.charge_id!r} of this notebook to adjust; check the id.")
        estimate = work.find(EstimateRow, charge.id)
        if estimate is None:
            raise ConflictError(
                f"Charge {charge.id!r} was not adjusted: only an estimated charge can be adjusted. A user can reduce"
                " any other charge that was spent, by a correction.",
                _NOT_ESTIMATED,
            )
        return charge, estimate
    found = work.select(ESTIMATES_OF_REFERENCE, request.reference)
    ours = [
        (charge, estimate)
        for estimate in found
        if _is_callers(work, request, charge := work.get(ChargeRow, estimate.charge_id))
    ]
    if not ours:
        raise NotFoundError(
            f"There is no estimated charge of this notebook with the reference {request.reference!r} to adjust."
        )
    # Ids rise with time, so this is the latest charge that is not adjusted yet, or else the latest charge.
    return max(ours, key=lambda pair: (pair[1].adjusted is None, pair[0].id))


def _is_callers(work: Work, request: Adjust, charge: ChargeRow) -> bool:
    if not may_name(work, request.origin, charge):
        return False
    if request.origin.scope == charge.scope:
        return True
    notebook = work.notebook(request.notebook)
    return notebook is not None and work.get(SessionRow, charge.session_id).notebook_id == notebook.id
