"""Functions that share what remains under a limit among several calls that hold amounts at the same time.

A *bounded* hold states the worst case of its call, but may be granted less, so that other calls can run as well. A hold
that is too large only because of the holds of other calls may wait until these end.
"""

from __future__ import annotations

from dataclasses import replace

from .... import money
from ....errors import InvalidAmountError, InvalidRequestError
from ...contract.charges import Hold
from ...transaction.work import Work
from ..balances import EnvelopeBalance, balances_of, envelopes_for, open_session_of


def bounded(work: Work, request: Hold) -> Hold:
    """Return the request of a bounded hold with ``amount`` replaced by the amount that the ledger can grant now.

    The granted amount is at least the request's ``least`` amount, so it may exceed a limit; then the hold is denied.
    The returned request's ``detail`` has the requested ``worst_case`` and ``least``, for the record. Raises
    InvalidAmountError for bounds out of range, and InvalidRequestError if the bounds contradict each other.
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
    """Whether a charge of this amount, in nano-USD, would exceed no ceiling once the holds of live callers have ended.

    If so, its caller may wait for that. Amounts that are spent, or held with an unknown outcome, are still included.
    """
    for envelope, balance in balances:
        if balance.spent + balance.held + amount > envelope.ceiling:
            _, unknown = work.open_holds(envelope.id, balance.period_start)
            if balance.spent + unknown + amount > envelope.ceiling:
                return False
    return True


def _share(work: Work, balances: list[EnvelopeBalance], most: int, waiting: int) -> int:
    """Return the share of a request, in nano-USD, under the envelope that leaves the least; at most ``most``.

    Each envelope's remainder is divided equally among the requests that need a part of it; ``waiting`` is the number of
    those that wait for their turn.
    """
    share = most
    for envelope, balance in balances:
        left = max(0, envelope.ceiling - balance.spent - balance.held)
        live, _ = work.open_holds(envelope.id, balance.period_start)
        # The 2 are this request and a next request, so that a first long call leaves room for another.
        share = min(share, left // (live + waiting + 2))
    return share


def _bounds(request: Hold) -> tuple[int, int]:
    """Return the least and the most, in nano-USD, that a bounded hold may be granted, after checking them."""
    least, most, waiting = request.least, request.most, request.waiting
    stated = [amount for amount in (least, most) if amount is not None]
    if any(type(amount) is not int or not 0 <= amount <= money.MAX_NANO for amount in stated):
        raise InvalidAmountError(
            "A hold's least and most amounts must be whole numbers of nano-dollars, from 0 to 1000000000 US dollars."
        )
    if type(waiting) is not int or waiting < 0:
        raise InvalidRequestError("A hold's number of waiting requests must be a whole number of at least 0.")
    most = request.amount if most is None else min(most, request.amount)
    # The worst case of a call may be below the least amount that is useful to most calls.
    least = min(request.amount if least is None else least, request.amount)
    if least > most:
        raise InvalidRequestError("The least amount of a hold must not be more than its most amount.")
    return least, most
