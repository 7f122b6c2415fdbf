"""Remembers charges whose true cost only a later response of the provider states, and corrects or settles them then.

An estimated charge is adjusted once, when the provider states the usage: for a background response that is polled, or a
stream that broke off and is retrieved. The worst case of a batch stays held until the batch's results are read. A
client and its copies share these charges. An estimated charge of another process is found in the ledger by its
reference, which consists of the provider's id and the response's id (`Guard.reference`).
"""

from __future__ import annotations

import logging
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final, Protocol

from ... import money
from ...engine import Engine
from ...errors import AumOSGovernanceError, ConflictError, NotFoundError, UnavailableError
from ..pricing.rates import UnusableUsageError
from .calls import Cost, Paid, UsageMissingError
from .charge import Charge

_log = logging.getLogger(__name__)
_MOST: Final = 10_000
"""The most estimates, and the most files, that are remembered. The oldest are dropped first; a dropped estimate is
still found in the ledger."""


class _Guard(Protocol):
    """The part of `Guard` that an adjustment needs."""

    @property
    def engine(self) -> Engine: ...

    def cost(self, paid: Paid, response: Mapping[str, Any]) -> Cost: ...


class Followups:
    """The charges of one client and its copies that a later response may adjust or settle.

    A ``reference`` is the ledger's name for a response or a batch, as returned by `Guard.reference`.
    """

    def __init__(self) -> None:
        self._estimates: OrderedDict[str, tuple[Paid, str | None]] = OrderedDict()
        """The call and the hold's id of each estimated charge, by the charge's reference."""
        self._batches: dict[str, Charge] = {}
        """The open charges of batches, by reference."""
        self._files: OrderedDict[str, str] = OrderedDict()
        """The reference of a batch, by the id of the file that contains the batch's results."""
        self._done: OrderedDict[str, None] = OrderedDict()
        """The references of estimates that need no further adjustment."""

    # ---- estimates

    def estimated(self, reference: str, charge: Charge) -> None:
        """Note that a charge is an estimate, and that the call's response can be retrieved later."""
        self._done.pop(reference, None)
        _keep(self._estimates, reference, (charge.paid, charge.grant.hold_id))

    def stated(self, guard: _Guard, reference: str, response: Mapping[str, Any], paid: Paid | None) -> None:
        """Adjust the estimated charge of a response to the usage that the provider states in ``response``.

        A charge of this process is priced by the call that made it. A charge of another process is found in the ledger
        by ``reference``, and priced by ``paid``, a call made from the response; with None, it is left unchanged.
        """
        if reference in self._done:
            return
        known, hold_id = self._estimates.get(reference, (paid, None))
        if known is None:
            return
        try:
            cost = guard.cost(known, response)
        except (UsageMissingError, UnusableUsageError, AumOSGovernanceError):
            return
        if cost.estimated:
            return
        amount = money.to_decimal(money.ceil_nano(cost.usd))
        try:
            # The hold's id finds the charge directly. Only this process knows it; otherwise the reference is looked up.
            named = {"hold_id": hold_id} if hold_id is not None else {"reference": reference}
            guard.engine.budget.adjust_estimate(amount, **named)
        except UnavailableError as error:
            warnings.warn(
                f"The true cost of a call of {known.model} is not recorded yet, so its estimate stays charged; retrieve"
                f" the response again to record it: {error}",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        except (ConflictError, NotFoundError):
            pass  # The charge was adjusted before, is no estimate, or is in another ledger.
        except AumOSGovernanceError as error:
            _log.warning(
                "The cost of a call of %s stays an estimate that could not be adjusted: %s", known.model, error
            )
        self._estimates.pop(reference, None)
        _keep(self._done, reference, None)

    # ---- batches

    def submitted(self, reference: str, charge: Charge) -> None:
        """Keep the hold of a batch that the provider accepted, until the batch's results are read."""
        charge.keep()
        self._batches[reference] = charge

    def batch(self, reference: str) -> Charge | None:
        """Return the open charge of a batch, or None if the batch is unknown or its results were read already."""
        return self._batches.get(reference)

    def writes_to(self, reference: str, file_id: str) -> None:
        """Remember that the provider writes the results of the batch ``reference`` to its file ``file_id``.

        When the client reads this file, `batch_of` finds the batch, and its charge is settled.
        """
        if reference in self._batches:
            _keep(self._files, file_id, reference)

    def batch_of(self, file_id: str) -> str | None:
        """Return the reference of the batch whose results are in a file, or None for any other file."""
        return self._files.get(file_id)

    def read(self, reference: str, cost: Cost | None) -> None:
        """Settle a batch's charge with the cost of its results, now that they were read.

        ``cost`` is None for a batch without results; its charge is released.
        """
        charge = self._batches.pop(reference, None)
        if charge is None:
            return
        if cost is None:
            charge.release()
        else:
            charge.settle_cost(cost)


def _keep(memory: OrderedDict[str, Any], key: str, value: Any) -> None:
    memory[key] = value
    while len(memory) > _MOST:
        memory.popitem(last=False)
