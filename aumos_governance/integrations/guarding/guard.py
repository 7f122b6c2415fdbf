"""The guard of a client: it holds each call's worst case before the call is sent, and settles its true cost after."""

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
from ...wire.fields import MAX_TEXT
from ..pricing.gateway_address import at_gateway
from ..pricing.prices import Prices
from ..pricing.rates import Rates
from ..pricing.seen import Seen
from .batches import BatchCall
from .calls import Cost, Paid, cannot_measure
from .charge import Charge, ChargedElsewhere
from .costs import cost_of
from .followups import Followups
from .leftovers import leftovers

PRICE_UNKNOWN: Final = "PRICE_UNKNOWN"
METHOD_UNKNOWN: Final = "METHOD_UNKNOWN"
CANNOT_BE_HELD: Final = "CANNOT_BE_HELD"
"""The code in the audit record of a call that was refused because its worst case cannot be held, such as a call with
several prompts. `PRICE_UNKNOWN` and `METHOD_UNKNOWN` are further codes of calls that were refused before a decision."""

ResponseT = TypeVar("ResponseT")
_NEVER_SENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "InvalidURL"})
"""The exceptions that httpx and its successors raise before a request is sent."""


class Outcome:
    """What an attempt without a usable response may have cost: nothing, or an unknown amount."""

    FREE: Final = "free"
    """The attempt cost nothing: it got an error response, or was never sent."""
    UNKNOWN: Final = "unknown"
    """The attempt was sent and may have cost something."""


def outcome_of(error: BaseException) -> str:
    """Return whether an attempt that raised ``error`` may have cost something, as a value of `Outcome`.

    It cost nothing if the error, or one of the errors that caused it, has an HTTP status of 400 or more, or shows that
    the request was never sent.
    """
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
    """The part of a governed client that holds and settles its calls, for one agent at one address.

    ``provider`` is the provider's id in genai-prices. The provider's prices apply unless ``base_url`` is the address of
    another vendor that genai-prices knows. ``budget_category`` is a budget that each call is charged to as well.
    """

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
        """The charges of earlier calls that a later response may correct or settle.

        The guards that `at` returns have the same ones.
        """
        leftovers.precede()

    def at(self, base_url: str) -> Guard:
        """Return a copy of the guard for another address of the provider, where other prices may apply."""
        other = copy(self)
        other.base_url = base_url
        return other

    @property
    def at_gateway(self) -> bool:
        """Whether the calls go through the server's gateway; the gateway decides about them and charges them itself."""
        return at_gateway(self.base_url)

    def reference(self, id: str) -> str:
        """Return the name that the ledger keeps for a response or a batch, to find its charge later.

        ``id`` is the provider's id of the response or batch; an example of the result is ``openai/batch_123``.
        """
        return f"{self.provider}/{id}"[:MAX_TEXT]

    def begin_ahead(self, paid: Paid) -> Begun:
        """Request the hold for a call without waiting for the decision; pass the result to `begin`.

        Raises ConfigurationError when the worst case is not known.
        """
        return self.engine.begin_ahead(self._priced(paid))

    def begin(self, paid: Paid, begun: Begun | None = None) -> Charge:
        """Hold the worst case of a call, or wait for the decision about a hold that `begin_ahead` has requested.

        Raises GovernanceDeniedError when the call is denied, ConfigurationError when its worst case is not known.
        """
        return Charge(self, paid, self.engine.begin(self._priced(paid)) if begun is None else begun.grant())

    async def begin_async(self, paid: Paid) -> Charge:
        """Do what `begin` does, without blocking the event loop."""
        return await when_awaited(self.beginning(paid, awaited=True))

    def beginning(self, paid: Paid, begun: Begun | None = None, *, awaited: bool) -> Steps[Charge]:
        """Return a generator that does what `begin` does, for `steps.now` or, if ``awaited``, `steps.when_awaited`.

        For a call through the gateway, its result is a charge that holds nothing.
        """
        if self.at_gateway:
            return ChargedElsewhere(paid)
        if not awaited:
            return self.begin(paid, begun)
        try:
            action = self.action(paid)
        except ConfigurationError as refusal:
            refused = yield self.record_refusal_async(refusal, PRICE_UNKNOWN, paid.name, paid.model)
            raise refused from None
        grant = yield self.engine.begin_async(action)
        return Charge(self, paid, grant)

    def call(self, paid: Paid, function: Callable[[], ResponseT]) -> ResponseT:
        """Hold the worst case of a call, make the call with ``function``, charge its cost, and return its response.

        ``function`` returns the response as a mapping, or as an object with ``model_dump`` or ``to_dict``.
        """
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
        """Return the action that the engine decides about for a call; its amount is the call's worst case.

        The prices are looked up and kept in ``paid.quoted``. Raises ConfigurationError if the worst case is not known.
        """
        if isinstance(paid, BatchCall):
            paid.rates_of = self.rates
        paid.quoted = rates = self.rates(paid.model)
        try:
            worst = money.ExactAmount.of(money.ceil_nano(paid.worst(rates) + rates.fee))
        except AumOSGovernanceError:
            raise
        except Exception as error:
            # An object of the user's own in the request may raise anything when it is measured.
            raise cannot_measure(paid.name, error) from error
        return self.action_of(paid.name, paid.model, worst)

    def action_of(self, name: str, model: str | None, amount: Decimal | None) -> GovernanceAction:
        """Return the action for a call of ``name``, such as ``chat.completions``, that costs at most ``amount`` USD."""
        return GovernanceAction(
            agent_id=self.agent_id or self.engine.agent_id,
            required_trust_level=self.required_trust_level,
            budget_category=self.budget_category,
            budget_amount=amount,
            action_type=name,
            tool=model,
        )

    def record_refusal(
        self, refusal: ConfigurationError, code: str, name: str, model: str | None
    ) -> ConfigurationError:
        """Record in the audit trail that a call was refused, and return the error for the caller to raise.

        ``code`` is the reason, such as `PRICE_UNKNOWN`; ``name`` and ``model`` are the call's operation and model. The
        result is ``refusal``, or an error that adds that the refusal could not be recorded.
        """
        try:
            self.engine.record_refusal(self.action_of(name, model or None, None), code, refusal.message)
        except Exception as error:  # noqa: BLE001 - no error of the ledger may replace the refusal
            return ConfigurationError(
                f"{refusal.message} This refusal could not be recorded in the audit trail: {error}", refusal.code
            )
        return refusal

    async def record_refusal_async(
        self, refusal: ConfigurationError, code: str, name: str, model: str | None
    ) -> ConfigurationError:
        """Do what `record_refusal` does, without blocking the event loop."""
        return await asyncio.to_thread(self.record_refusal, refusal, code, name, model)

    def _priced(self, paid: Paid) -> GovernanceAction:
        try:
            return self.action(paid)
        except ConfigurationError as refusal:
            raise self.record_refusal(refusal, PRICE_UNKNOWN, paid.name, paid.model) from None

    def rates(self, model: str) -> Rates:
        """Return a model's prices at this guard's address. Raises ConfigurationError when they are not known."""
        return self.prices.rates(model, provider=self.provider, base_url=self.base_url)

    def cost(self, paid: Paid, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of a call, computed by `cost_of` with the prices that the call was held at.

        Raises UsageMissingError as `Paid.cost` does, and ConfigurationError if the prices are not known.
        """
        return cost_of(paid, paid.quoted or self.rates(paid.model), response, seen)


def body_of(response: object) -> Mapping[str, Any]:
    """Return a response of a provider's library as a mapping; an empty mapping if it cannot be converted."""
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
