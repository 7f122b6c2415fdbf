"""The base of the earlier SDK's client classes, kept for programs that use them.

These classes hold the caller's estimate of a call's cost, and keep a list of the decisions about their calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from inspect import iscoroutinefunction
from typing import Any, ClassVar, Final, Generic, TypeVar

from .. import money
from ..authority.authorization import Begun
from ..engine import Engine, GovernanceDecision
from ..errors import ConfigurationError, GovernanceDeniedError
from ..realm import require_names, to_level
from ..types import GovernanceOutcome, TrustLevel
from .clients import govern_with, is_client
from .guarding.calls import ApiRequest, Cost, Paid, is_streamed
from .guarding.charge import Charge
from .guarding.guard import Guard
from .guarding.later import Later
from .guarding.provider import Provider
from .pricing.price_terms import address_of
from .pricing.prices import Amount, Prices
from .pricing.rates import Rates
from .pricing.seen import Seen

__all__ = ["AuditedClient", "CallRecord"]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The record of the decision about one call; ``estimated_cost`` is the held amount in USD, not the true cost."""

    record_id: str
    agent_id: str
    call_type: str
    model: str
    allowed: bool
    denial_reason: str | None
    estimated_cost: float
    governance_decision: GovernanceDecision


RecordT = TypeVar("RecordT", bound=CallRecord)


class AuditedClient(Generic[RecordT]):
    """The base class of a governed client for one agent; a subclass for each provider adds the methods that make calls.

    ``client`` is a client of the provider's library, or an object with the same methods. ``default_cost`` is as the
    property. ``budget_category`` names a budget that every call is charged to.
    """

    _provider: ClassVar[Provider]
    _record: ClassVar[type[Any]]

    def __init__(
        self,
        client: Any,
        governance_engine: Engine,
        agent_id: str,
        default_cost: Amount = 0.01,
        budget_category: str | None = None,
        required_trust_level: int = TrustLevel.L1_MONITOR,
    ) -> None:
        require_names(agent_id=agent_id)
        self._default = money.parse(default_cost, what="default_cost")
        self._agent_id = agent_id
        if iscoroutinefunction(getattr(client, "request", None)):
            raise ConfigurationError(
                f"{type(self).__name__} takes a synchronous client; use govern(client) for an asynchronous client."
            )
        self._guard = _RecordingGuard(
            self._record,
            governance_engine,
            Prices(default_cost=default_cost),
            provider=self._provider.price_id,
            base_url=address_of(client) if is_client(client) else "",
            agent_id=agent_id,
            budget_category=budget_category,
            required_trust_level=to_level(required_trust_level, "required_trust_level"),
        )
        # An object that only has the methods of a client, such as a test double, is called directly.
        self._governed = is_client(client)
        provider = _EstimatingProvider(self._provider)
        self._client = govern_with(client, self._guard, provider) if self._governed else client

    @property
    def audit_log(self) -> list[RecordT]:
        """The records of the decisions about this client's calls, oldest first.

        The list ends with this object; the engine's audit trail keeps all decisions.
        """
        return self._guard.log

    @property
    def agent_id(self) -> str:
        """The id of the agent that this client's calls are recorded for."""
        return self._agent_id

    @property
    def default_cost(self) -> float:
        """The USD that are held for a call without an ``estimated_cost``.

        They are also charged for a call of a model whose price is not known.
        """
        return float(money.to_decimal(self._default))

    def _call(
        self,
        call_type: str,
        path: str,
        function: Callable[..., Any],
        arguments: Mapping[str, Any],
        estimate: Amount | None,
    ) -> Any:
        held = self._default if estimate is None else money.parse(estimate, what="estimated_cost")
        with _estimating(call_type, money.to_decimal(held)):
            if self._governed:
                response = function(**arguments)
            else:
                if iscoroutinefunction(function):
                    raise ConfigurationError(
                        "The client's methods are asynchronous; pass a client whose methods return responses."
                    )
                paid = _EstimatingProvider(self._provider).paid(
                    ApiRequest("post", path, arguments, bool(arguments.get("stream")))
                )
                assert paid is not None
                response = self._guard.call(paid, lambda: function(**arguments))
        return response


class _RecordingGuard(Guard):
    """A guard that also keeps a record of each decision about a call, for `AuditedClient.audit_log`."""

    def __init__(self, record: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._record = record
        self._log: list[Any] = []

    @property
    def log(self) -> list[Any]:
        return list(self._log)

    def begin(self, paid: Paid, begun: Begun | None = None) -> Charge:
        try:
            charge = super().begin(paid, begun)
        except GovernanceDeniedError as denied:
            decision = GovernanceDecision(
                GovernanceOutcome.DENY, False, [denied.denial_reason], denied.audit_record_id or "", self.action(paid)
            )
            self._note(paid, decision, denied.denial_reason)
            raise
        self._note(paid, charge.grant.decision, None)
        return charge

    def _note(self, paid: Paid, decision: GovernanceDecision, reason: str | None) -> None:
        call_type, held = _ESTIMATE.get() or (paid.name, Decimal(0))
        self._log.append(
            self._record(
                record_id=decision.audit_record_id,
                agent_id=decision.action.agent_id,
                call_type=call_type,
                model=paid.model,
                allowed=reason is None,
                denial_reason=reason,
                estimated_cost=float(held),
                governance_decision=decision,
            )
        )


_ESTIMATE: Final[ContextVar[tuple[str, Decimal] | None]] = ContextVar("aumos_governance_estimate", default=None)
"""The ``call_type`` of the call that this thread or task is making, and the amount in USD to hold for the call."""


@contextmanager
def _estimating(call_type: str, held: Decimal) -> Iterator[None]:
    former = _ESTIMATE.get()
    try:
        _ESTIMATE.set((call_type, held))
        yield
    finally:
        _ESTIMATE.set(former)


class _EstimatingProvider:
    """A provider's adapter whose paid calls hold the caller's ``estimated_cost`` in place of their worst case."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.price_id = provider.price_id

    def paid(self, request: ApiRequest) -> Paid | None:
        paid, estimate = self._provider.paid(request), _ESTIMATE.get()
        return paid if paid is None or estimate is None else _EstimatedCall(paid, estimate[1])

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        return self._provider.later(request, guard)


class _EstimatedCall:
    """A paid call that holds the caller's ``estimated_cost``, ``worst`` in USD, in place of the computed worst case."""

    def __init__(self, paid: Paid, worst: Decimal) -> None:
        self.quoted: Rates | None = None
        self.name = paid.name
        self.model = paid.model
        self.body = paid.body
        self._paid = paid
        self._worst = worst
        if is_streamed(paid):
            self.meter = paid.meter

    def worst(self, rates: Rates) -> Decimal:
        return self._worst

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        return self._paid.cost(rates, response, seen)
