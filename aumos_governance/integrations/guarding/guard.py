"""One guarded call: its worst case is held before it, and its true cost settled after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from copy import copy
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from ... import money
from ...authority.authorization import Begun
from ...engine import Engine, GovernanceAction
from ...errors import AumOSGovernanceError, ConfigurationError
from ...steps import Steps, when_awaited
from ...types import TrustLevel
from ...wire.protocol import MAX_TEXT
from ..pricing.gateway_address import at_gateway
from ..pricing.prices import Prices, Rates
from ..pricing.seen import Seen
from .batches import BatchCall
from .calls import Cost, Paid, cannot_measure
from .charge import Charge, ChargedElsewhere
from .costs import cost_of
from .followups import Followups
from .leftovers import leftovers

__all__ = ["CANNOT_BE_HELD", "METHOD_UNKNOWN", "PRICE_UNKNOWN", "Guard", "Outcome", "body_of", "outcome_of"]

PRICE_UNKNOWN: Final = "PRICE_UNKNOWN"
METHOD_UNKNOWN: Final = "METHOD_UNKNOWN"
CANNOT_BE_HELD: Final = "CANNOT_BE_HELD"
"""Why a call was refused without a decision: the codes of its record."""

ResponseT = TypeVar("ResponseT")
_NEVER_SENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "InvalidURL"})
"""The errors of httpx and its successors that come before a request is out."""


class Outcome:
    """How an attempt failed."""

    FREE: Final = "free"
    """It got an error response, or was never sent."""
    UNKNOWN: Final = "unknown"
    """Its outcome is not known."""


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
        self.followups = Followups()
        """What later responses may adjust or settle; the same for the client at other addresses."""
        leftovers.precede()

    def at(self, base_url: str) -> Guard:
        """The same for another address of the provider."""
        other = copy(self)
        other.base_url = base_url
        return other

    @property
    def at_gateway(self) -> bool:
        """Whether the calls go through the server's gateway, which decides and charges them."""
        return at_gateway(self.base_url)

    def reference(self, id: str) -> str:
        """The provider's name for a response or a batch, as the ledger knows it."""
        return f"{self.provider}/{id}"[:MAX_TEXT]

    def begin_ahead(self, paid: Paid) -> Begun:
        """Request what `begin` holds, and do not wait for it yet. Raises ConfigurationError as that."""
        return self.engine.begin_ahead(self._priced(paid))

    def begin(self, paid: Paid, begun: Begun | None = None) -> Charge:
        """Hold the worst case of a call, or wait until the hold that was requested for it is made.

        Raises GovernanceDeniedError when it is denied, ConfigurationError when its worst case is not known.
        """
        return Charge(self, paid, self.engine.begin(self._priced(paid)) if begun is None else begun.grant())

    async def begin_async(self, paid: Paid) -> Charge:
        """As `begin`."""
        return await when_awaited(self.beginning(paid, awaited=True))

    def beginning(self, paid: Paid, begun: Begun | None = None, *, awaited: bool) -> Steps[Charge]:
        """As `begin`, for both kinds of client."""
        if self.at_gateway:
            return ChargedElsewhere(self, paid)
        if not awaited:
            return self.begin(paid, begun)
        try:
            action = self.action(paid)
        except ConfigurationError as refusal:
            refused = yield self.refused_async(refusal, PRICE_UNKNOWN, paid.name, paid.model)
            raise refused from None
        grant = yield self.engine.begin_async(action)
        return Charge(self, paid, grant)

    def call(self, paid: Paid, function: Callable[[], ResponseT]) -> ResponseT:
        """Hold, call, and settle by the response: a mapping, or an object with ``model_dump`` or ``to_dict``."""
        charge = self.begin(paid)
        try:
            response = function()
        except Exception as error:
            charge.release() if outcome_of(error) == Outcome.FREE else charge.estimate()
            raise
        except BaseException:
            charge.abandon()
            raise
        charge.settle(body_of(response))
        return response

    def action(self, paid: Paid) -> GovernanceAction:
        """The action that a call is, with its worst case."""
        if isinstance(paid, BatchCall):
            paid.rates_of = self.rates
        paid.quoted = rates = self.rates(paid.model)
        try:
            worst = money.ExactAmount.of(money.ceil_nano(paid.worst(rates) + rates.fee))
        except AumOSGovernanceError:
            raise
        except Exception as error:
            # Such as that of a class in the request, which may raise anything.
            raise cannot_measure(paid.name, error) from error
        return self.action_of(paid.name, paid.model, worst)

    def action_of(self, name: str, model: str | None, amount: Decimal | None) -> GovernanceAction:
        """The action that a call of this name is, of ``amount`` USD."""
        return GovernanceAction(
            agent_id=self.agent_id or self.engine.agent_id,
            required_trust_level=self.required_trust_level,
            budget_category=self.budget_category,
            budget_amount=amount,
            action_type=name,
            tool=model,
        )

    def refused(self, refusal: ConfigurationError, code: str, name: str, model: str | None) -> ConfigurationError:
        """The refusal of a call that cannot be held, once it is on record, for the caller to raise.

        Where it cannot be recorded it is refused all the same, and says so.
        """
        try:
            self.engine.record_refusal(self.action_of(name, model or None, None), code, refusal.message)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not take the refusal's place
            return ConfigurationError(f"{refusal.message} That could not be recorded: {error}", refusal.code)
        return refusal

    async def refused_async(
        self, refusal: ConfigurationError, code: str, name: str, model: str | None
    ) -> ConfigurationError:
        """As `refused`; the event loop goes on meanwhile."""
        return await asyncio.to_thread(self.refused, refusal, code, name, model)

    def _priced(self, paid: Paid) -> GovernanceAction:
        try:
            return self.action(paid)
        except ConfigurationError as refusal:
            raise self.refused(refusal, PRICE_UNKNOWN, paid.name, paid.model) from None

    def rates(self, model: str) -> Rates:
        """The model's prices. Raises ConfigurationError when they are not known."""
        return self.prices.rates(model, provider=self.provider, base_url=self.base_url)

    def cost(self, paid: Paid, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """What a call cost: by what the seller states, else by the prices of the model that responded.

        Raises as `Paid.cost`, and ConfigurationError.
        """
        return cost_of(paid, paid.quoted or self.rates(paid.model), response, seen)


def body_of(response: object) -> Mapping[str, Any]:
    """The response as a mapping; an empty one when it is something else."""
    body = _plain(response)
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
