"""Computes the worst case of a client's call, the highest cost that it can have, before the call is forwarded.

If the worst case exceeds an amount, such as the rest of the budget, this module lowers the call's limit of output
tokens so that it does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Final, TypeVar

from .. import money
from ..errors import AumOSGovernanceError, ConfigurationError
from ..integrations.guarding.calls import ApiRequest, Paid, cannot_measure
from ..integrations.guarding.provider import paid_by
from ..integrations.pricing.prices import address_seller
from ..integrations.pricing.rates import Rates
from .contents import LARGE
from .contract import Upstream
from .dialects.api import ClientCall, ProviderApi
from .refusals import METHOD_UNKNOWN, RefusedError, unmeasured

ResultT = TypeVar("ResultT")
_PRICE_UNKNOWN: Final = "PRICE_UNKNOWN"
_MODEL_NOT_ALLOWED: Final = "MODEL_NOT_ALLOWED"
_USEFUL: Final = 256
"""The output limit, in tokens, below which a response would be of little use. `Measuring` does not lower a higher limit
below this number."""
_ASSUMED: Final = 16_384
"""The output limit, in tokens, that `Measuring` begins with when it must limit a request that states no limit."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A paid call whose worst case was computed: the client's request, the call that it makes, and the worst case."""

    call: ClientCall
    paid: Paid
    worst: int
    """The highest cost that the call can have, in nano-USD."""
    limited_to: int | None = None
    """The limit of output tokens that the gateway put into the request; None if the request is not changed."""


class Measuring:
    """Computes the worst cases of the calls to one upstream.

    The argument ``size`` of its methods is the size of the request's body in bytes: for a large body they compute in a
    thread, so that other calls are served meanwhile.
    """

    def __init__(self, upstream: Upstream, api: ProviderApi) -> None:
        self._upstream = upstream
        self._api = api
        self._price_id = upstream.provider or api.provider.price_id

    async def measure(self, request: ApiRequest, size: int) -> ClientCall | Measured:
        """Return the call of ``request`` with its worst case if it costs money, and its `ClientCall` if it is free.

        Raises RefusedError if the worst case cannot be computed, or if the configuration does not allow the request.
        """
        return await _compute(lambda: self._measure(request), size)

    async def fitted(self, measured: Measured, most: int, size: int) -> Measured | None:
        """Return the call with its output limit lowered, if necessary, so that it costs at most ``most`` nano-USD.

        Returns None if even the lowest useful limit would cost more.
        """
        return await _compute(lambda: self._fitted(measured, most), size)

    async def least(self, measured: Measured, size: int) -> int:
        """Return the worst case, in nano-USD, that the call would have with the lowest useful output limit."""
        return await _compute(lambda: self._least(measured), size)

    def _measure(self, request: ApiRequest) -> ClientCall | Measured:
        upstream, api = self._upstream, self._api
        try:
            call = api.read(request)
            paid = paid_by(api.provider, call.request)
        except ConfigurationError as error:
            raise unmeasured(error, METHOD_UNKNOWN, upstream.name, upstream.like_openai) from None
        if paid is None:
            if not api.forwards(call.request):
                raise RefusedError(
                    HTTPStatus.BAD_REQUEST,
                    METHOD_UNKNOWN,
                    f"AumOS Governance: the gateway does not forward {call.request.name}, since several"
                    f" users share its key for {upstream.name}; ask the administrator of this Jupyter server for it.",
                )
            return call
        for model in (paid.model, *api.models(call.request)):
            if not upstream.allows(model):
                raise RefusedError(
                    HTTPStatus.NOT_FOUND,
                    _MODEL_NOT_ALLOWED,
                    f"AumOS Governance: the model {model[:80]!r} is not allowed at {upstream.name} on this Jupyter"
                    " server; use another one, or ask its administrator to allow it.",
                )
        limit = api.output_limit(call.request)
        measured = self._measured(call, paid)
        if limit is not None and limit.stated is None and upstream.output_limit is not None:
            return self._with_limit(measured, max(limit.least, upstream.output_limit))
        return measured

    def _measured(self, call: ClientCall, paid: Paid, limited_to: int | None = None) -> Measured:
        try:
            paid.quoted = rates = self.rates(paid.model)
            worst = money.ceil_nano(paid.worst(rates) + rates.fee)
        except ConfigurationError as error:
            raise unmeasured(error, _PRICE_UNKNOWN, self._upstream.name) from None
        except AumOSGovernanceError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, error.code, f"AumOS Governance: {error.message}") from None
        except Exception as error:
            raise unmeasured(cannot_measure(paid.name, error), "CANNOT_BE_HELD", self._upstream.name) from error
        return Measured(call, paid, worst, limited_to)

    @cached_property
    def _price_url(self) -> str:
        # If the configuration names another vendor than the one that owns the address, the address does not determine
        # the prices. It is computed at the first call, since the prices take long to load.
        upstream = self._upstream
        named = upstream.provider is not None and address_seller(upstream.base_url) not in (None, upstream.provider)
        return "" if named else upstream.base_url

    def rates(self, model: str) -> Rates:
        """Return the prices of a model at this upstream. Raises ConfigurationError if they are not known."""
        return self._upstream.prices.rates(model, provider=self._price_id, base_url=self._price_url)

    def _with_limit(self, measured: Measured, tokens: int) -> Measured:
        request = self._api.limited(measured.call.request, tokens, self._upstream.base_url)
        paid = paid_by(self._api.provider, request)
        assert paid is not None, "another limit does not make a paid request free"
        return self._measured(replace(measured.call, request=request), paid, tokens)

    def _fitted(self, measured: Measured, most: int) -> Measured | None:
        if measured.worst <= most:
            return measured
        limit = self._api.output_limit(measured.call.request)
        if limit is None:
            return None
        high = limit.stated if limit.stated is not None else _ASSUMED
        low = _useful(limit.least)
        found = self._with_limit(measured, low)
        if found.worst > most:
            return None
        # The worst case grows linearly with the limit, except for rounding and tiered prices, so interpolation finds
        # a limit close to the highest one in a few steps.
        for _ in range(8):
            share = (most - found.worst) * (high - low) // max(1, measured.worst - found.worst)
            tokens = min(high - 1, low + share)
            if tokens <= low:
                break
            tried = self._with_limit(measured, tokens)
            if tried.worst > most:
                high, measured = tokens, tried
            else:
                found, low = tried, tokens
        return found

    def _least(self, measured: Measured) -> int:
        limit = self._api.output_limit(measured.call.request)
        if limit is None:
            return measured.worst
        return min(measured.worst, self._with_limit(measured, _useful(limit.least)).worst)


def _useful(least: int) -> int:
    """Return the lowest useful output limit of a call whose provider accepts no limit below ``least``."""
    return _USEFUL if least < _USEFUL else least + _USEFUL


async def _compute(work: Callable[[], ResultT], size: int) -> ResultT:
    return await asyncio.to_thread(work) if size > LARGE else work()
