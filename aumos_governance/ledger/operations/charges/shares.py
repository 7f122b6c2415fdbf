"""The amount that a bounded hold is granted, and whether a charge exceeds a limit even without live holds."""

from __future__ import annotations

from dataclasses import replace

from .... import money
from ....errors import InvalidAmountError, InvalidRequestError
from ...contract.charges import Hold
from ...transaction.work import Work
from ..balances import EnvelopeBalance, balances_of, envelopes_for, open_session_of


def bounded(work: Work, request: Hold) -> Hold:
    """Return a bounded hold with the amount that it is granted, which is at least its ``least`` amount.

    The ``detail`` of the returned hold has the requested ``worst_case`` and ``least``. Raises InvalidAmountError for
    bounds out of range, and InvalidRequestError if the bounds contradict each other.
    """
    least, most = _bounds(request)
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    granted = least
    if session is not None:
        envelopes = envelopes_for(work, session, request.category, missing=None if request.checks is None else "")
        granted = max(least, _share(work, balances_of(work, envelopes, work.now), most, request.waiting))
    stated = {"worst_case": money.to_text(request.amount), "least": money.to_text(least)}
    return replace(request, amount=granted, detail={**request.detail, **stated})


def fits_without_live_holds(work: Work, balances: list[EnvelopeBalance], amount: int) -> bool:
    """Whether an amount would exceed no ceiling if the holds of live callers were released.

    Amounts that are spent, or held with an unknown outcome, are still included.
    """
    for envelope, balance in balances:
        if balance.spent + balance.held + amount > envelope.ceiling:
            _, unknown = work.open_holds(envelope.id, balance.period_start)
            if balance.spent + unknown + amount > envelope.ceiling:
                return False
    return True


def _share(work: Work, balances: list[EnvelopeBalance], most: int, waiting: int) -> int:
    """Return the smallest share, in nano-USD, that any of the envelopes leaves for a request; at most ``most``."""
    share = most
    for envelope, balance in balances:
        left = max(0, envelope.ceiling - balance.spent - balance.held)
        live, _ = work.open_holds(envelope.id, balance.period_start)
        # The 2 are this request and a next request, so that a first long call leaves room for another.
        share = min(share, left // (live + waiting + 2))
    return share


def _bounds(request: Hold) -> tuple[int, int]:
    """Return the least and the most that may be granted, in nano-USD."""
    least, most, waiting = request.least, request.most, request.waiting
    stated = [amount for amount in (least, most) if amount is not None]
    if any(type(amount) is not int or not 0 <= amount <= money.MAX_NANO for amount in stated):
        raise InvalidAmountError("A hold's least and most must be from 0 to 1000000000 US dollars, in nano-dollars.")
    if type(waiting) is not int or waiting < 0:
        raise InvalidRequestError("The number of requests that wait must be a whole number of at least 0.")
    most = request.amount if most is None else min(most, request.amount)
    # The worst case of a call may be below the least amount that is useful to most calls.
    least = min(request.amount if least is None else least, request.amount)
    if least > most:
        raise InvalidRequestError("The least amount of a hold must not be more than the most that may be granted.")
    return least, most
