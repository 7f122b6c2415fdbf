"""One guarded call: its worst case is held before it, and its true cost settled after it.

A charge ends in one of three ways. It is settled with the cost that the answer tells. It is released when the call
failed before it could cost anything: it was never sent, or answered with an error. Else it is settled as an estimate,
which is what was held: nobody knows what an answer cost that never came, or broke off, or was not read to its end.
"""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from copy import copy
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from .. import money
from ..authorization import AsyncGrant, Begun, Ending, Granted
from ..engine import Engine, GovernanceAction
from ..errors import AumOSGovernanceError, ConfigurationError, UnavailableError
from ..types import TrustLevel
from .calls import Paid, UsageMissingError
from .leftovers import leftovers
from .pricing import Prices, Rates, UnusableUsageError

__all__ = ["Charge", "Guard", "Outcome", "outcome_of"]

AnswerT = TypeVar("AnswerT")
_NEVER_SENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "InvalidURL"})
"""The errors of httpx and its successors that come before a request is out."""


class Outcome:
    """How an attempt failed."""

    FREE: Final = "free"
    """It was answered with an error, or never sent."""
    UNKNOWN: Final = "unknown"
    """Nobody knows what became of it."""


def outcome_of(error: BaseException) -> str:
    """How an attempt failed that ended with this error: one of `Outcome`."""
    seen: BaseException | None = error
    while seen is not None:
        status = getattr(getattr(seen, "response", None), "status_code", getattr(seen, "status_code", None))
        if isinstance(status, int) and status >= 400:
            return Outcome.FREE
        if any(kind.__name__ in _NEVER_SENT for kind in type(seen).__mro__):
            return Outcome.FREE
        seen = seen.__cause__
    return Outcome.UNKNOWN


class Charge:
    """What is held for one attempt, until it ends; a second end changes nothing."""

    def __init__(self, guard: Guard, paid: Paid, grant: Granted) -> None:
        self.paid = paid
        self.grant = grant
        self._guard = guard
        # Taken once, by whoever ends it: a list's pop is atomic.
        self._token = [True]
        self._end: tuple[int | None, bool] = (grant.amount or 0, True)
        self._ending: Ending | None = None
        leftovers.opened(self)

    @property
    def open(self) -> bool:
        """Whether nobody has ended it."""
        return bool(self._token)

    # ---- in the thread or task that made the call

    def settle(self, answer: Mapping[str, Any] | None) -> None:
        """Charge what the answer says, or an estimate where it does not say it."""
        if self._take():
            self._end_in_thread(*self._cost(answer))

    def release(self) -> None:
        """It cost nothing."""
        if self._take():
            self._end_in_thread(None, False)

    def estimate(self) -> None:
        """Charge what was held, flagged as an estimate."""
        self.settle(None)

    async def settle_async(self, answer: Mapping[str, Any] | None) -> None:
        """As `settle`."""
        if self._take():
            await self._end_in_task(*self._cost(answer))

    async def release_async(self) -> None:
        """As `release`."""
        if self._take():
            await self._end_in_task(None, False)

    async def estimate_async(self) -> None:
        """As `estimate`."""
        await self.settle_async(None)

    # ---- anywhere

    def abandon(self) -> None:
        """Nobody will end it: it is settled as an estimate, soon. Never waits."""
        if self._take():
            leftovers.note(self)

    def give_back(self) -> None:
        """Nobody will make the call: it is released, soon. Never waits."""
        if self._take():
            self._end = None, False
            leftovers.note(self)

    def end_now(self) -> None:
        """As `Leftover.end_now`: for its thread alone, once it was noted."""
        self._take()
        ending, self._ending = self._ending, None
        if ending is not None:
            # What fails here is tried anew the next time.
            ending.result()
            return
        cost, estimated = self._end
        self.grant.resolve_now(cost, estimated=estimated)

    def _take(self) -> bool:
        try:
            self._token.pop()
        except IndexError:
            return False
        return True

    def _cost(self, answer: Mapping[str, Any] | None) -> tuple[int, bool]:
        if answer is None:
            return self.grant.amount or 0, True
        try:
            return money.ceil_nano(self._guard.cost(self.paid, answer)), False
        except (UsageMissingError, UnusableUsageError, AumOSGovernanceError):
            return self.grant.amount or 0, True

    def _end_in_thread(self, cost: int | None, estimated: bool) -> None:
        self._end = cost, estimated
        try:
            if not self._sent(cost, estimated):
                self.grant.resolve_now(cost, estimated=estimated)
                leftovers.ended(self)
        except UnavailableError as error:
            self._later(error)
        except BaseException:
            leftovers.note(self)
            raise

    async def _end_in_task(self, cost: int | None, estimated: bool) -> None:
        self._end = cost, estimated
        grant = self.grant
        assert isinstance(grant, AsyncGrant)
        try:
            if not self._sent(cost, estimated):
                await grant.resolve(cost, estimated=estimated)
                leftovers.ended(self)
        except UnavailableError as error:
            self._later(error)
        except BaseException:
            # Cancelled, it goes on and is done: what is noted here finds that, and does nothing.
            leftovers.note(self)
            raise

    def _sent(self, cost: int | None, estimated: bool) -> bool:
        """Send how it ends without waiting for the answer, where the engine can; the hold stands until it arrives."""
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
        # The answer was paid for, and is not withheld because its cost cannot be written down now.
        warnings.warn(f"The cost of a call is not recorded yet: {error}", RuntimeWarning, stacklevel=4)
        leftovers.note(self)


class Guard:
    """Holds and settles the calls of one client for one agent."""

    def __init__(
        self,
        engine: Engine,
        prices: Prices,
        *,
        provider: str,
        base_url: str = "",
        agent_id: str | None = None,
        budget_category: str | None = None,
        required_trust_level: int = TrustLevel.L1_MONITOR,
    ) -> None:
        self.engine = engine
        self.prices = prices
        self.provider = provider
        self.base_url = base_url
        self.agent_id = agent_id
        self.budget_category = budget_category
        self.required_trust_level = required_trust_level
        leftovers.precede()

    def at(self, base_url: str) -> Guard:
        """The same for another address of the provider."""
        other = copy(self)
        other.base_url = base_url
        return other

    def ask(self, paid: Paid) -> Begun:
        """Ask for what `begin` holds, and do not wait for it yet. Raises ConfigurationError as that."""
        return self.engine.begin_ahead(self.action(paid))

    def begin(self, paid: Paid, begun: Begun | None = None) -> Charge:
        """Hold the worst case of a call, or wait until what was asked for it is held.

        Raises GovernanceDeniedError when it is denied, ConfigurationError when nobody knows what it may cost.
        """
        return Charge(self, paid, self.engine.begin(self.action(paid)) if begun is None else begun.grant())

    async def begin_async(self, paid: Paid) -> Charge:
        """As `begin`."""
        return Charge(self, paid, await self.engine.begin_async(self.action(paid)))

    def call(self, paid: Paid, function: Callable[[], AnswerT]) -> AnswerT:
        """Hold, call, and settle by the answer: a mapping, or an object with ``model_dump`` or ``to_dict``."""
        charge = self.begin(paid)
        try:
            answer = function()
        except Exception as error:
            charge.release() if outcome_of(error) == Outcome.FREE else charge.estimate()
            raise
        except BaseException:
            charge.abandon()
            raise
        charge.settle(body_of(answer))
        return answer

    async def call_async(self, paid: Paid, function: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """As `call`."""
        charge = await self.begin_async(paid)
        try:
            answer = await function()
        except Exception as error:
            await (charge.release_async() if outcome_of(error) == Outcome.FREE else charge.estimate_async())
            raise
        except BaseException:
            charge.abandon()
            raise
        await charge.settle_async(body_of(answer))
        return answer

    def action(self, paid: Paid) -> GovernanceAction:
        """The action that a call is, with its worst case."""
        worst = money.to_decimal(money.ceil_nano(paid.worst(self.rates(paid.model))))
        return GovernanceAction(
            agent_id=self.agent_id or self.engine.agent_id,
            required_trust_level=self.required_trust_level,
            budget_category=self.budget_category,
            budget_amount=worst,
            action_type=paid.name,
            tool=paid.model,
        )

    def rates(self, model: str) -> Rates:
        """The model's prices. Raises ConfigurationError when they are not known."""
        return self.prices.rates(model, provider=self.provider, base_url=self.base_url)

    def cost(self, paid: Paid, answer: Mapping[str, Any]) -> Decimal:
        """What a call cost, in USD, by the prices of the model that answered. Raises UsageMissingError."""
        rates = self.rates(paid.model)
        if rates.flat is not None:
            return rates.flat
        answered = answer.get("model")
        if rates.found and isinstance(answered, str) and answered != paid.model:
            # A name of the provider's own is what was asked for.
            with suppress(ConfigurationError):
                rates = self.rates(answered)
        return paid.cost(rates, answer)


def body_of(answer: object) -> Mapping[str, Any]:
    """The answer as a mapping; an empty one when it is something else."""
    body = _plain(answer)
    return body if isinstance(body, Mapping) else {}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return value
    for name in ("model_dump", "to_dict"):
        dump = getattr(value, name, None)
        if callable(dump):
            return dump()
    if isinstance(value, SimpleNamespace):
        return {name: _plain(inner) for name, inner in vars(value).items()}
    return value
