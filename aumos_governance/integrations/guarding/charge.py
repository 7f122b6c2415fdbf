"""The charge of one attempt: the amount held for it, and how that hold ends.

A charge ends in one of three ways. It is settled with the cost that the response states. It is released if the attempt
cost nothing: it was never sent, or got an error response. Otherwise it is settled as an estimate: if the response broke
off or was not read to its end, with a cost computed from the part that arrived; without any response, with the held
amount.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ... import money
from ...authority.authorization import AsyncGrant, Ending, Granted
from ...errors import UnavailableError
from ...steps import Steps, now, when_awaited
from ..pricing.seen import Seen
from .calls import Cost, Paid
from .costs import charged, charged_partly
from .leftovers import leftovers

Evidence = tuple[Mapping[str, Any] | None, Seen | None]
"""The usage that a response has reported so far, and the measure of the output that arrived.

The measure is None for a response that is no stream.
"""


class _Estimates(Protocol):
    def estimated(self, reference: str, charge: Charge) -> None: ...


class ChargeGuard(Protocol):
    """The part of `Guard` that a charge needs."""

    @property
    def followups(self) -> _Estimates:
        """The object that remembers each estimated charge, because a later response may correct the charge."""
        ...

    def cost(self, paid: Paid, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of a call; ``seen`` is as in `Paid.cost`.

        Raises UsageMissingError as `Paid.cost` does, and ConfigurationError if the prices are not known.
        """
        ...

    def reference(self, id: str) -> str:
        """Return the name under which the ledger keeps the response ``id`` of the provider; see `Guard.reference`."""
        ...


class Charge:
    """The amount that the ledger holds for one attempt, until the charge ends: it is settled or released.

    Only the first method that ends the charge has an effect. ``grant`` is the ledger's permission, with the amount.
    """

    def __init__(self, guard: ChargeGuard, paid: Paid, grant: Granted) -> None:
        self.paid = paid
        self.grant = grant
        self.outlives_call = False
        """Whether the charge stays open when its call ends, because the caller reads the response later."""
        self._guard = guard
        # The thread that pops the token ends the charge. A list's pop is atomic, so only one thread can.
        self._token = [True]
        self._result: tuple[int | None, bool] = (grant.amount or 0, True)
        """How the charge ends: the nano-USD to charge (None to release the hold), and whether that is an estimate."""
        self._ending: Ending | None = None
        self._seen_so_far: Callable[[], Evidence] | None = None
        self._seen_at_exit: Callable[[], Evidence] | None = None
        leftovers.opened(self)

    @property
    def open(self) -> bool:
        """Whether the charge has not ended yet."""
        return bool(self._token)

    # ---- called in the thread or task that made the call

    def settle(self, response: Mapping[str, Any] | None, seen: Seen | None = None) -> None:
        """Charge the cost of a complete response by its usage, or an estimate if the usage is missing or not credible.

        Without a response (both arguments None), the held amount is charged. ``seen`` is as in `Paid.cost`.
        """
        now(self.settling(response, seen, awaited=False))

    async def settle_async(self, response: Mapping[str, Any] | None, seen: Seen | None = None) -> None:
        """Do what `settle` does, without blocking the event loop."""
        await when_awaited(self.settling(response, seen, awaited=True))

    def settling(self, response: Mapping[str, Any] | None, seen: Seen | None = None, *, awaited: bool) -> Steps[None]:
        """Return a generator that does what `settle` does, for `steps.now` or, if ``awaited``, `steps.when_awaited`."""
        return self._end(lambda: self._result_of(response, seen), awaited=awaited)

    def settle_partly(self, response: Mapping[str, Any] | None, seen: Seen | None) -> None:
        """Charge the most that a broken-off response can have cost by the part that arrived, flagged as an estimate."""
        now(self._end(lambda: self._partial_result_of(response, seen), awaited=False))

    async def settle_partly_async(self, response: Mapping[str, Any] | None, seen: Seen | None) -> None:
        """Do what `settle_partly` does, without blocking the event loop."""
        await when_awaited(self._end(lambda: self._partial_result_of(response, seen), awaited=True))

    def settle_cost(self, cost: Cost) -> None:
        """Charge a cost that was computed from a later response, such as the results of a batch."""
        now(self._end(lambda: (money.ceil_nano(cost.usd), cost.estimated), awaited=False))

    def estimate(self) -> None:
        """Charge the held amount, flagged as an estimate."""
        self.settle(None)

    async def estimate_async(self) -> None:
        """Do what `estimate` does, without blocking the event loop."""
        await self.settle_async(None)

    def release(self) -> None:
        """Release the hold of an attempt that cost nothing."""
        now(self.releasing(awaited=False))

    def releasing(self, *, awaited: bool) -> Steps[None]:
        """Return a generator that does what `release` does; see `settling`."""
        return self._end(_nothing, awaited=awaited)

    # ---- called from any thread, also by the garbage collector

    def keep(self) -> None:
        """Leave the hold open after the call and after this process ends, until a later response states the cost."""
        self.outlives_call = True
        leftovers.ended(self)

    def abandon(self, seen_so_far: Callable[[], Evidence] | None = None) -> None:
        """Have the background thread (`leftovers`) settle the charge soon, as an estimate. Never waits.

        The thread calls ``seen_so_far`` to get what has arrived of the response. With None, it charges the held amount.
        """
        if self._claim():
            self._seen_so_far = seen_so_far
            leftovers.note(self)

    def settle_at_exit(self, seen_so_far: Callable[[], Evidence]) -> None:
        """Have the charge settled as an estimate if it is still open when the interpreter ends.

        ``seen_so_far`` is called then, and returns the part of the response that has arrived.
        """
        self._seen_at_exit = seen_so_far

    def release_soon(self) -> None:
        """Have the background thread (`leftovers`) release the hold soon, because no request uses it. Never waits."""
        if self._claim():
            self._result = None, False
            leftovers.note(self)

    def end_now(self) -> None:
        """Implement `Leftover.end_now`: settle or release the charge. Only the thread of `leftovers` may call this."""
        if self._claim():
            # The charge is still open, so the interpreter ends while a response is being read.
            self._seen_so_far = self._seen_at_exit
        ending, self._ending = self._ending, None
        if ending is not None:
            # The end was sent before. If it failed, the next attempt sends it again below.
            ending.result()
            return
        seen_so_far, self._seen_so_far = self._seen_so_far, None
        if seen_so_far is not None:
            # This is computed here and not in `abandon`, which the garbage collector may have called.
            self._result = self._partial_result_of(*seen_so_far())
        cost, estimated = self._result
        self.grant.resolve_now(cost, estimated=estimated)

    def _claim(self) -> bool:
        """Return whether the caller is the first to end this charge; only the first caller ends it."""
        try:
            self._token.pop()
        except IndexError:
            return False
        return True

    def _result_of(self, response: Mapping[str, Any] | None, seen: Seen | None) -> tuple[int, bool]:
        result = charged(self._cost, self.grant.amount or 0, response, seen)
        if result[1] and response is not None:
            self._set_reference(response)
        return result

    def _set_reference(self, response: Mapping[str, Any]) -> None:
        """Store the response's id with the estimated charge, so that a later retrieval of the response corrects it."""
        id = response.get("id")
        if isinstance(id, str) and id and getattr(self.paid, "retrievable", False):
            self.grant.reference = self._guard.reference(id)
            self._guard.followups.estimated(self.grant.reference, self)

    def _partial_result_of(self, response: Mapping[str, Any] | None, seen: Seen | None) -> tuple[int, bool]:
        result = charged_partly(self._cost, self.grant.amount or 0, response, seen)
        if seen is not None and response is not None:
            self._set_reference(response)
        return result

    def _cost(self, response: Mapping[str, Any], seen: Seen | None) -> Cost:
        return self._guard.cost(self.paid, response, seen)

    def _end(self, compute: Callable[[], tuple[int | None, bool]], *, awaited: bool) -> Steps[None]:
        """End the charge; ``compute`` returns the cost in nano-USD (None to release the hold) and its estimate flag.

        If the caller is interrupted meanwhile, the background thread (`leftovers`) ends the charge. A cancelled task
        does not stop the request that it awaited; the thread may then find that the ledger has ended the charge.
        """
        try:
            if not self._claim():
                return
            self._result = cost, estimated = compute()
            if not self._send_end(cost, estimated):
                if awaited and isinstance(self.grant, AsyncGrant):
                    yield self.grant.resolve(cost, estimated=estimated)
                else:
                    self.grant.resolve_now(cost, estimated=estimated)
                leftovers.ended(self)
        except UnavailableError as error:
            self._leave_to_leftovers(error)
        except BaseException:
            leftovers.note(self)
            raise

    def _send_end(self, cost: int | None, estimated: bool) -> bool:
        """Send the settlement or release to the engine without waiting for its response.

        The hold stays until the response arrives. Return False, without sending, if this engine cannot do so.
        """
        ending = self._ending = self.grant.resolve_soon(cost, estimated=estimated)
        if ending is None:
            return False
        leftovers.sent(self)
        ending.then(self._recorded)
        return True

    def _recorded(self) -> None:
        # If the ledger's response is an error, the background thread reads it soon afterwards and handles it.
        if self.grant.settlement is not None:
            leftovers.ended(self)

    def _leave_to_leftovers(self, error: UnavailableError) -> None:
        # The provider's response is paid for, so the caller gets it even while its cost cannot be recorded.
        warnings.warn(
            f"The cost of a call of {self.paid.model} is not recorded yet, and is recorded later: {error}",
            RuntimeWarning,
            stacklevel=4,
        )
        leftovers.note(self)


class ChargedElsewhere(Charge):
    """The charge of an attempt through the server's gateway, which itself holds and charges the attempt's cost.

    It holds nothing, and the methods that end a charge do nothing.
    """

    def __init__(self, paid: Paid) -> None:
        self.paid = paid
        self.outlives_call = False
        self._token = []


def _nothing() -> tuple[None, bool]:
    return None, False
