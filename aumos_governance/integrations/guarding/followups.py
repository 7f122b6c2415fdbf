"""What a later response of the provider says about a charge that was made before: it is adjusted, or settled at last.

An estimated charge is adjusted once, when the provider states its usage: a background response that is polled, a stream
that broke off and is retrieved. What a batch may cost stays held until its results are read. The client and its copies
share this memory; what another process has estimated is found in the ledger by the provider's name for the response.
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

__all__ = ["Followups"]

_log = logging.getLogger(__name__)
_MOST: Final = 10_000
"""The most estimates, and the most files, that are remembered; the oldest go first, and are found in the ledger."""


class _Guard(Protocol):
    """The guard, as far as an adjustment needs it."""

    @property
    def engine(self) -> Engine: ...

    def cost(self, paid: Paid, response: Mapping[str, Any]) -> Cost: ...


class Followups:
    """The charges of one client, and of its copies, that a later response may settle or adjust."""

    def __init__(self) -> None:
        self._estimates: OrderedDict[str, tuple[Paid, str | None]] = OrderedDict()
        self._batches: dict[str, Charge] = {}
        self._files: OrderedDict[str, str] = OrderedDict()
        self._done: OrderedDict[str, None] = OrderedDict()

    # ---- estimates

    def estimated(self, reference: str, charge: Charge) -> None:
        """A charge is an estimate, for a response that can be retrieved later."""
        self._done.pop(reference, None)
        _keep(self._estimates, reference, (charge.paid, charge.grant.hold_id))

    def stated(self, guard: _Guard, reference: str, response: Mapping[str, Any], paid: Paid | None) -> None:
        """The provider states what a response used; ``paid`` is the call where this process has not made it."""
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
            # The ledger knows a charge by its hold at once, and one of another process by the reference.
            named = {"hold_id": hold_id} if hold_id is not None else {"reference": reference}
            guard.engine.budget.adjust_estimate(amount, **named)
        except UnavailableError as error:
            warnings.warn(f"The true cost of a call is not recorded yet: {error}", RuntimeWarning, stacklevel=2)
            return
        except (ConflictError, NotFoundError):
            pass  # It was adjusted before, is no estimate, or was made elsewhere.
        except AumOSGovernanceError as error:
            _log.warning("An estimated charge could not be adjusted: %s", error)
        self._estimates.pop(reference, None)
        _keep(self._done, reference, None)

    # ---- batches

    def submitted(self, reference: str, charge: Charge) -> None:
        """A batch was accepted: what it may cost stays held until its results are read."""
        charge.keep()
        self._batches[reference] = charge

    def batch(self, reference: str) -> Charge | None:
        """The charge of a batch whose results were not read yet."""
        return self._batches.get(reference)

    def writes_to(self, reference: str, file_id: str) -> None:
        """A batch has its results in this file."""
        if reference in self._batches:
            _keep(self._files, file_id, reference)

    def batch_of(self, file_id: str) -> str | None:
        """The batch whose results a file has."""
        return self._files.get(file_id)

    def read(self, reference: str, cost: Cost | None) -> None:
        """A batch's results were read, or it has ended without any (None): its charge is settled, or released."""
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
