"""What is held for one attempt, until it ends.

A charge ends in one of three ways. It is settled with the cost that the response states. It is released when the
attempt failed before it could cost anything: it was never sent, or got an error response. Else it is settled as an
estimate: by what was seen of a response that broke off or was not read on, and with the amount held where there is
nothing to go by.
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

__all__ = ["Accounts", "Charge", "ChargedElsewhere", "Evidence"]

Evidence = tuple[Mapping[str, Any] | None, Seen | None]
"""What a response reports so far, and what of it was seen to arrive; None: the response is no stream."""


class _Estimates(Protocol):
    def estimated(self, reference: str, charge: Charge) -> None: ...


class Accounts(Protocol):
    """What a charge needs of the guard that made it."""

    @property
    def followups(self) -> _Estimates:
        """Called with each estimate that a later response may correct."""
        ...

    def cost(self, paid: Paid, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """What a call cost. Raises as `Paid.cost`, and ConfigurationError."""
        ...

    def reference(self, id: str) -> str:
        """The provider's name for a response, as the ledger knows it."""
        ...


class Charge:
    """What is held for one attempt, until it ends; a second end changes nothing."""

    def __init__(self, guard: Accounts, paid: Paid, grant: Granted) -> None:
        self.paid = paid
        self.grant = grant
        self.kept = False
        """Whether it is ended elsewhere than where its call ends, as a stream's is."""
        self._guard = guard
        # Taken once, by the thread that ends it: a list's pop is atomic.
        self._token = [True]
        self._end: tuple[int | None, bool] = (grant.amount or 0, True)
        self._ending: Ending | None = None
        self._seen_so_far: Callable[[], Evidence] | None = None
        self._watched: Callable[[], Evidence] | None = None
        leftovers.opened(self)

    @property
    def open(self) -> bool:
        """Whether it has not ended yet."""
        return bool(self._token)

    # ---- in the thread or task that made the call

    def settle(self, response: Mapping[str, Any] | None, seen: Seen | None = None) -> None:
        """Charge what the response says, or an estimate where it does not say it; ``seen`` as in `Paid.cost`."""
        now(self.settling(response, seen, awaited=False))

    async def settle_async(self, response: Mapping[str, Any] | None, seen: Seen | None = None) -> None:
        """As `settle`."""
        await when_awaited(self.settling(response, seen, awaited=True))

    def settling(self, response: Mapping[str, Any] | None, seen: Seen | None = None, *, awaited: bool) -> Steps[None]:
        """As `settle`, for both kinds of client."""
        return self._ended(lambda: self._cost(response, seen), awaited=awaited)

    def settle_partly(self, response: Mapping[str, Any] | None, seen: Seen | None) -> None:
        """Charge what can have been paid for a response that broke off, flagged as an estimate."""
        now(self._ended(lambda: self._partial(response, seen), awaited=False))

    async def settle_partly_async(self, response: Mapping[str, Any] | None, seen: Seen | None) -> None:
        """As `settle_partly`."""
        await when_awaited(self._ended(lambda: self._partial(response, seen), awaited=True))

    def settle_cost(self, cost: Cost) -> None:
        """Charge what a later response stated."""
        now(self._ended(lambda: (money.ceil_nano(cost.usd), cost.estimated), awaited=False))

    def estimate(self) -> None:
        """Charge what was held, flagged as an estimate."""
        self.settle(None)

    async def estimate_async(self) -> None:
        """As `estimate`."""
        await self.settle_async(None)

    def release(self) -> None:
        """It cost nothing."""
        now(self.releasing(awaited=False))

    def releasing(self, *, awaited: bool) -> Steps[None]:
        """As `release`, for both kinds of client."""
        return self._ended(_nothing, awaited=awaited)

    # ---- anywhere

    def keep(self) -> None:
        """Let what is held stand after the call, and after this process, until a later response says what it cost."""
        self.kept = True
        leftovers.ended(self)

    def abandon(self, seen_so_far: Callable[[], Evidence] | None = None) -> None:
        """Settle it as an estimate, soon, by what ``seen_so_far`` gives then. Never waits."""
        if self._take():
            self._seen_so_far = seen_so_far
            leftovers.note(self)

    def watched(self, seen_so_far: Callable[[], Evidence]) -> None:
        """Charge what ``seen_so_far`` gives then, where the interpreter ends before anything else ends this charge."""
        self._watched = seen_so_far

    def give_back(self) -> None:
        """Release it soon: the call will not be made. Never waits."""
        if self._take():
            self._end = None, False
            leftovers.note(self)

    def end_now(self) -> None:
        """As `Leftover.end_now`: for its thread alone, once it was noted."""
        if self._take():
            # The interpreter ends while a response is still being read.
            self._seen_so_far = self._watched
        ending, self._ending = self._ending, None
        if ending is not None:
            # What fails here is tried anew the next time.
            ending.result()
            return
        seen_so_far, self._seen_so_far = self._seen_so_far, None
        if seen_so_far is not None:
            # Only here, since the garbage collector may have been the one to find it.
            self._end = self._partial(*seen_so_far())
        cost, estimated = self._end
        self.grant.resolve_now(cost, estimated=estimated)

    def _take(self) -> bool:
        try:
            self._token.pop()
        except IndexError:
            return False
        return True

    def _cost(self, response: Mapping[str, Any] | None, seen: Seen | None) -> tuple[int, bool]:
        end = charged(self._stated, self.grant.amount or 0, response, seen)
        if end[1] and response is not None:
            self._name(response)
        return end

    def _name(self, response: Mapping[str, Any]) -> None:
        # An estimate, which the response itself may correct when it is retrieved.
        id = response.get("id")
        if isinstance(id, str) and id and getattr(self.paid, "retrievable", False):
            self.grant.reference = self._guard.reference(id)
            self._guard.followups.estimated(self.grant.reference, self)

    def _partial(self, response: Mapping[str, Any] | None, seen: Seen | None) -> tuple[int, bool]:
        end = charged_partly(self._stated, self.grant.amount or 0, response, seen)
        if seen is not None and response is not None:
            self._name(response)
        return end

    def _stated(self, response: Mapping[str, Any], seen: Seen | None) -> Cost:
        return self._guard.cost(self.paid, response, seen)

    def _ended(self, how: Callable[[], tuple[int | None, bool]], *, awaited: bool) -> Steps[None]:
        # Whatever interrupts this from its first step on leaves the charge to be ended by the leftovers' thread.
        # Cancelled, what is awaited goes on and is done: then that thread finds it, and does nothing.
        try:
            if not self._take():
                return
            self._end = cost, estimated = how()
            if not self._sent(cost, estimated):
                if awaited and isinstance(self.grant, AsyncGrant):
                    yield self.grant.resolve(cost, estimated=estimated)
                else:
                    self.grant.resolve_now(cost, estimated=estimated)
                leftovers.ended(self)
        except UnavailableError as error:
            self._later(error)
        except BaseException:
            leftovers.note(self)
            raise

    def _sent(self, cost: int | None, estimated: bool) -> bool:
        """Send how it ends without waiting for the response, where the engine can; the hold stands until it arrives."""
        ending = self._ending = self.grant.resolve_soon(cost, estimated=estimated)
        if ending is None:
            return False
        leftovers.sent(self)
        ending.then(self._recorded)
        return True

    def _recorded(self) -> None:
        # A no is for the leftovers' thread, which finds it when it looks.
        if self.grant.settlement is not None:
            leftovers.ended(self)

    def _later(self, error: UnavailableError) -> None:
        # The response was paid for, and is not withheld because its cost cannot be written down now.
        warnings.warn(f"The cost of a call is not recorded yet: {error}", RuntimeWarning, stacklevel=4)
        leftovers.note(self)


class ChargedElsewhere(Charge):
    """What is held for an attempt that the server's gateway decides and charges: nothing, so no end does anything."""

    def __init__(self, guard: Accounts, paid: Paid) -> None:
        self.paid = paid
        self.kept = False
        self._guard = guard
        self._token = []


def _nothing() -> tuple[None, bool]:
    return None, False
