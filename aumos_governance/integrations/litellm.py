"""LiteLLM: completions that are held before and settled after, and a logger for those that are not."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger

from .. import money
from ..errors import ConfigurationError
from ..steps import Steps, now, when_awaited
from .frameworks.litellm_calls import address_of, call_of, failure_of, price_id, response_of
from .guarding.calls import Paid, UsageMissingError
from .guarding.charge import Charge
from .guarding.guard import CANNOT_BE_HELD, PRICE_UNKNOWN, Guard, Outcome
from .guarding.guards import Guards
from .guarding.stream_options import Place, stream_options
from .pricing.prices import UnusableUsageError

__all__ = ["GovernanceLogger", "GovernedLiteLLM"]


class _Priced(Guards):
    """Which call is made, and its guard."""

    def _call(self, arguments: Mapping[str, Any], kind: str = "completion") -> tuple[Guard, Paid]:
        model, provider, _, found = litellm.get_llm_provider(
            arguments["model"], arguments.get("custom_llm_provider"), arguments.get("api_base")
        )
        guard = self._guard(price_id(provider), address_of(provider, arguments, found))
        return guard, call_of(kind, model, arguments, price_id(provider))


class GovernedLiteLLM(_Priced):
    """``litellm.completion``, ``responses`` and ``embedding``, each call of which is authorised, held and charged.

    So are their awaited twins, ``acompletion``, ``aresponses`` and ``aembedding``. A denied call raises
    GovernanceDeniedError, and one whose price is not known ConfigurationError: then nothing is sent. What LiteLLM tries
    again counts as one call; ``fallbacks`` are refused, since another model costs otherwise.
    """

    def completion(self, model: str, messages: list[Any], **arguments: Any) -> Any:
        """As ``litellm.completion``; a stream as well."""
        return now(self._completed(litellm.completion, {"model": model, "messages": messages, **arguments}))

    async def acompletion(self, model: str, messages: list[Any], **arguments: Any) -> Any:
        """As ``litellm.acompletion``; a stream as well."""
        request = {"model": model, "messages": messages, **arguments}
        return await when_awaited(self._completed(litellm.acompletion, request, awaited=True))

    def responses(self, input: Any, model: str, **arguments: Any) -> Any:  # noqa: A002 - LiteLLM's own name
        """As ``litellm.responses``, not streamed."""
        return now(self._whole("responses", {"model": model, "input": input, **arguments}, litellm.responses))

    async def aresponses(self, input: Any, model: str, **arguments: Any) -> Any:  # noqa: A002 - LiteLLM's own name
        """As ``litellm.aresponses``, not streamed."""
        request = {"model": model, "input": input, **arguments}
        return await when_awaited(self._whole("responses", request, litellm.aresponses, awaited=True))

    def embedding(self, model: str, input: Any, **arguments: Any) -> Any:  # noqa: A002 - LiteLLM's own name
        """As ``litellm.embedding``."""
        return now(self._whole("embeddings", {"model": model, "input": input, **arguments}, litellm.embedding))

    async def aembedding(self, model: str, input: Any, **arguments: Any) -> Any:  # noqa: A002 - LiteLLM's own name
        """As ``litellm.aembedding``."""
        request = {"model": model, "input": input, **arguments}
        return await when_awaited(self._whole("embeddings", request, litellm.aembedding, awaited=True))

    def _completed(self, function: Callable[..., Any], request: dict[str, Any], *, awaited: bool = False) -> Steps[Any]:
        guard, paid = yield from self._checked("completion", request, awaited=awaited)
        place, added = (guard.base_url, paid.model), {} if guard.at_gateway else _with_usage(paid)
        if added and stream_options.withheld(place):
            added = {}
        call = _Sent(guard, paid, lambda more: function(**request, **more), awaited=awaited)
        charge, response = yield from call.sent(added, place)
        if request.get("stream"):
            return (_AsyncChunks if awaited else _Chunks)(response, charge, show_usage=_requests_usage(request))
        yield from _settling(charge, response, awaited=awaited)
        return response

    def _whole(
        self, kind: str, request: dict[str, Any], function: Callable[..., Any], *, awaited: bool = False
    ) -> Steps[Any]:
        guard, paid = yield from self._checked(kind, request, awaited=awaited)
        call = _Sent(guard, paid, lambda more: function(**request, **more), awaited=awaited)
        charge, response = yield from call.sent({}, ("", ""))
        yield from _settling(charge, response, awaited=awaited)
        return response

    def _checked(self, kind: str, request: dict[str, Any], *, awaited: bool) -> Steps[tuple[Guard, Paid]]:
        guard, paid = self._call(request, kind)
        if not guard.at_gateway and (refusal := _refusal(kind, request)) is not None:
            record = guard.refused_async if awaited else guard.refused
            refused: Any = record(refusal, CANNOT_BE_HELD, paid.name, paid.model)
            raise (yield refused) if awaited else refused
        return guard, paid


class GovernanceLogger(CustomLogger, _Priced):
    """Charges completions that were made without `GovernedLiteLLM`: ``litellm.callbacks = [GovernanceLogger()]``.

    LiteLLM ignores what a logger raises, so it cannot stop a call. It charges the cost afterwards, in full, so that the
    next governed call finds the budget smaller; a response without usage is charged its worst case. Where the
    trust level allows no call, or its price is not known, there is a record of the denial, and no charge.
    """

    def __init__(self, **options: Any) -> None:
        CustomLogger.__init__(self)
        _Priced.__init__(self, **options)

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """Charge what a synchronous call cost."""
        now(self._charged(kwargs, response_obj, awaited=False))

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """Charge what an awaited call cost."""
        await when_awaited(self._charged(kwargs, response_obj, awaited=True))

    def _charged(self, kwargs: Any, response: Any, *, awaited: bool) -> Steps[None]:
        if not _is_complete(kwargs):
            return
        guard, paid = self._call(kwargs)
        if guard.at_gateway:
            return
        action = guard.action_of(paid.name, paid.model, Decimal(0))
        try:
            cost, estimated = _cost(guard, paid, response)
        except ConfigurationError:
            record = guard.refused_async if awaited else guard.refused
            refused: Any = record(_unpriced(paid), PRICE_UNKNOWN, paid.name, paid.model)
            raise ((yield refused) if awaited else refused) from None
        if awaited:
            grant = yield guard.engine.begin_async(action)
            yield grant.resolve(cost, estimated=estimated)
        else:
            guard.engine.begin(action).resolve_now(cost, estimated=estimated)


class _Watched:
    """A stream of LiteLLM's, used as it is, whose charge is settled by the usage in its last chunk."""

    def __init__(self, chunks: Any, charge: Charge, *, show_usage: bool) -> None:
        self._chunks = chunks
        self._charge = charge
        self._show_usage = show_usage
        weakref.finalize(self, charge.abandon).atexit = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def _response(self, chunk: Any) -> Mapping[str, Any] | None:
        return response_of(self._charge.paid, chunk) if getattr(chunk, "usage", None) is not None else None

    def _is_shown(self, chunk: Any) -> bool:
        return self._show_usage or any(
            choice.finish_reason or choice.delta.content or choice.delta.tool_calls for choice in chunk.choices
        )


class _Chunks(_Watched):
    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        while True:
            try:
                chunk = next(self._chunks)
            except StopIteration:
                self._charge.estimate()
                raise
            except BaseException:
                self._charge.abandon()
                raise
            if (response := self._response(chunk)) is not None:
                self._charge.settle(response)
                if not self._is_shown(chunk):
                    continue
            return chunk


class _AsyncChunks(_Watched):
    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while True:
            try:
                chunk = await self._chunks.__anext__()
            except StopAsyncIteration:
                await self._charge.estimate_async()
                raise
            except BaseException:
                self._charge.abandon()
                raise
            if (response := self._response(chunk)) is not None:
                await self._charge.settle_async(response)
                if not self._is_shown(chunk):
                    continue
            return chunk


class _Sent:
    """A call that is held, and sent by ``send`` with what is added to it."""

    def __init__(self, guard: Guard, paid: Paid, send: Callable[[Mapping[str, Any]], Any], *, awaited: bool) -> None:
        self._guard = guard
        self._paid = paid
        self._send = send
        self._awaited = awaited

    def sent(self, added: Mapping[str, Any], place: Place) -> Steps[tuple[Charge, Any]]:
        """Hold, and call; once more without what was ``added`` where the provider refuses it."""
        awaited = self._awaited
        charge = yield from self._guard.beginning(self._paid, awaited=awaited)
        try:
            response = self._send(added)
            if awaited:
                response = yield response
        except Exception as error:
            free = failure_of(error) == Outcome.FREE
            yield from charge.releasing(awaited=awaited) if free else charge.settling(None, awaited=awaited)
            if not added or not stream_options.may_refuse(place, error):
                raise
        except BaseException:
            charge.abandon()
            raise
        else:
            if added:
                stream_options.accepts(place)
            return charge, response
        made = yield from self.sent({}, place)
        stream_options.refuses(place)
        return made


def _settling(charge: Charge, response: Any, *, awaited: bool) -> Steps[None]:
    if _is_cached(response):
        return charge.releasing(awaited=awaited)
    return charge.settling(response_of(charge.paid, response), awaited=awaited)


def _refusal(kind: str, request: Mapping[str, Any]) -> ConfigurationError | None:
    if kind != "completion" and request.get("stream"):
        return ConfigurationError(
            "A streamed response of LiteLLM's cannot be settled by its usage, so nothing was sent: leave stream= out,"
            " or stream completion()."
        )
    if not request.get("fallbacks") and not request.get("context_window_fallback_dict"):
        return None
    return ConfigurationError(
        "A completion with fallbacks cannot be held, since another model costs otherwise: catch the error, and call"
        " completion() with the other model."
    )


def _cost(guard: Guard, paid: Paid, response: Any) -> tuple[int, bool]:
    """What a call that was made has cost, in nano-USD, and whether that is an estimate."""
    paid.quoted = guard.rates(paid.model)
    try:
        cost = guard.cost(paid, response_of(paid, response))
        return money.ceil_nano(cost.usd), cost.estimated
    except (UsageMissingError, UnusableUsageError):
        return money.ceil_nano(paid.worst(guard.rates(paid.model))), True


def _unpriced(paid: Paid) -> ConfigurationError:
    return ConfigurationError(
        f"A completion of {paid.model!r} was made, whose price is not known, and is not charged: state it with"
        " GovernanceLogger(price=...) per million tokens, default_cost=... USD a call, or cost=0."
    )


def _with_usage(paid: Paid) -> dict[str, Any]:
    return {} if paid.body is None else {"stream_options": paid.body["stream_options"]}


def _requests_usage(arguments: Mapping[str, Any]) -> bool:
    return bool((arguments.get("stream_options") or {}).get("include_usage"))


def _is_cached(response: Any) -> bool:
    """Whether LiteLLM's own cache had the response."""
    return (getattr(response, "_hidden_params", None) or {}).get("cache_hit") is True


def _is_complete(kwargs: Mapping[str, Any]) -> bool:
    """Whether this event is of a whole response that was paid for, and not of a chunk or of LiteLLM's cache."""
    if kwargs.get("cache_hit"):
        return False
    parts = ("complete_streaming_response", "async_complete_streaming_response")
    return not kwargs.get("stream") or any(kwargs.get(part) is not None for part in parts)
