"""The adapter for LiteLLM: functions that hold and settle their calls, and a logger that charges all other calls."""

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
from .pricing.rates import UnusableUsageError

__all__ = ["GovernanceLogger", "GovernedLiteLLM"]


class _LiteLLMGuards(Guards):
    """A factory of guards that finds a call's provider, address and model in the arguments of LiteLLM's function."""

    def _call(self, arguments: Mapping[str, Any], kind: str = "completion") -> tuple[Guard, Paid]:
        """Return the guard and the paid call for the arguments of LiteLLM's function; ``kind`` is as in `call_of`."""
        model, provider, _, found = litellm.get_llm_provider(
            arguments["model"], arguments.get("custom_llm_provider"), arguments.get("api_base")
        )
        guard = self._guard(price_id(provider), address_of(provider, arguments, found))
        return guard, call_of(kind, model, arguments, price_id(provider))


class GovernedLiteLLM(_LiteLLMGuards):
    """The functions ``completion``, ``responses`` and ``embedding`` of LiteLLM as governed calls.

    The asynchronous ``acompletion``, ``aresponses`` and ``aembedding`` are governed alike. The constructor has the
    keyword arguments of `govern`. A denied call raises GovernanceDeniedError, and a call whose price is not known
    raises ConfigurationError; neither is sent. A call that LiteLLM retries is held and charged once. A call with
    ``fallbacks`` is refused, since the price of another model differs.
    """

    def completion(self, model: str, messages: list[Any], **arguments: Any) -> Any:
        """Call ``litellm.completion``, streamed or not, as a governed call."""
        return now(self._complete(litellm.completion, {"model": model, "messages": messages, **arguments}))

    async def acompletion(self, model: str, messages: list[Any], **arguments: Any) -> Any:
        """Call ``litellm.acompletion``, streamed or not, as a governed call."""
        request = {"model": model, "messages": messages, **arguments}
        return await when_awaited(self._complete(litellm.acompletion, request, awaited=True))

    def responses(self, input: Any, model: str, **arguments: Any) -> Any:  # noqa: A002 - LiteLLM's own name
        """Call ``litellm.responses`` as a governed call; ``stream`` is refused with ConfigurationError."""
        return now(self._call_unstreamed("responses", {"model": model, "input": input, **arguments}, litellm.responses))

    async def aresponses(self, input: Any, model: str, **arguments: Any) -> Any:  # noqa: A002 - LiteLLM's own name
        """Call ``litellm.aresponses`` as a governed call; ``stream`` is refused with ConfigurationError."""
        request = {"model": model, "input": input, **arguments}
        return await when_awaited(self._call_unstreamed("responses", request, litellm.aresponses, awaited=True))

    def embedding(self, model: str, input: Any, **arguments: Any) -> Any:  # noqa: A002 - LiteLLM's own name
        """Call ``litellm.embedding`` as a governed call."""
        return now(
            self._call_unstreamed("embeddings", {"model": model, "input": input, **arguments}, litellm.embedding)
        )

    async def aembedding(self, model: str, input: Any, **arguments: Any) -> Any:  # noqa: A002 - LiteLLM's own name
        """Call ``litellm.aembedding`` as a governed call."""
        request = {"model": model, "input": input, **arguments}
        return await when_awaited(self._call_unstreamed("embeddings", request, litellm.aembedding, awaited=True))

    def _complete(self, function: Callable[..., Any], request: dict[str, Any], *, awaited: bool = False) -> Steps[Any]:
        guard, paid = yield from self._prepare("completion", request, awaited=awaited)
        place, added = (guard.base_url, paid.model), {} if guard.at_gateway else _stream_options_of(paid)
        if added and stream_options.withheld(place):
            added = {}
        call = _HeldCall(guard, paid, lambda more: function(**request, **more), awaited=awaited)
        charge, response = yield from call.send(added, place)
        if request.get("stream"):
            return (_AsyncStream if awaited else _SyncStream)(response, charge, show_usage=_requests_usage(request))
        yield from _settling(charge, response, awaited=awaited)
        return response

    def _call_unstreamed(
        self, kind: str, request: dict[str, Any], function: Callable[..., Any], *, awaited: bool = False
    ) -> Steps[Any]:
        guard, paid = yield from self._prepare(kind, request, awaited=awaited)
        call = _HeldCall(guard, paid, lambda more: function(**request, **more), awaited=awaited)
        charge, response = yield from call.send({}, ("", ""))
        yield from _settling(charge, response, awaited=awaited)
        return response

    def _prepare(self, kind: str, request: dict[str, Any], *, awaited: bool) -> Steps[tuple[Guard, Paid]]:
        guard, paid = self._call(request, kind)
        if not guard.at_gateway and (refusal := _refusal(kind, request)) is not None:
            record = guard.record_refusal_async if awaited else guard.record_refusal
            refused: Any = record(refusal, CANNOT_BE_HELD, paid.name, paid.model)
            raise (yield refused) if awaited else refused
        return guard, paid


class GovernanceLogger(CustomLogger, _LiteLLMGuards):
    """A logger that charges calls made without `GovernedLiteLLM`: ``litellm.callbacks = [GovernanceLogger()]``.

    The logger cannot stop a call, since LiteLLM ignores the exceptions of a logger. It charges the full cost after the
    call, so that less of the budget remains for the next governed call; for a response without usage it charges the
    worst case. If the trust level allows no call, or the price is not known, it records a denial and charges nothing.
    Its constructor has the keyword arguments of `govern`.
    """

    def __init__(self, **options: Any) -> None:
        CustomLogger.__init__(self)
        _LiteLLMGuards.__init__(self, **options)

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """Charge the cost of a synchronous call; LiteLLM calls this method after each synchronous call."""
        now(self._charge_finished(kwargs, response_obj, awaited=False))

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """Charge the cost of an asynchronous call; LiteLLM calls this method after each asynchronous call."""
        await when_awaited(self._charge_finished(kwargs, response_obj, awaited=True))

    def _charge_finished(self, kwargs: Any, response: Any, *, awaited: bool) -> Steps[None]:
        if not _is_complete(kwargs):
            return
        guard, paid = self._call(kwargs)
        if guard.at_gateway:
            return
        action = guard.action_of(paid.name, paid.model, Decimal(0))
        try:
            cost, estimated = _cost(guard, paid, response)
        except ConfigurationError:
            record = guard.record_refusal_async if awaited else guard.record_refusal
            refused: Any = record(_unpriced(paid), PRICE_UNKNOWN, paid.name, paid.model)
            raise ((yield refused) if awaited else refused) from None
        if awaited:
            grant = yield guard.engine.begin_async(action)
            yield grant.resolve(cost, estimated=estimated)
        else:
            guard.engine.begin(action).resolve_now(cost, estimated=estimated)


class _Stream:
    """A proxy of one of LiteLLM's streams; it settles the call's charge by the usage in the stream's last chunk.

    ``show_usage`` is whether the caller requested the usage; if not, a chunk that only reports the usage is left out.
    """

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


class _SyncStream(_Stream):
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


class _AsyncStream(_Stream):
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


class _HeldCall:
    """A call of one of LiteLLM's functions; its worst case is held before the call is sent.

    The function ``send`` makes the call, with the arguments of the caller and those of the mapping that it gets.
    """

    def __init__(self, guard: Guard, paid: Paid, send: Callable[[Mapping[str, Any]], Any], *, awaited: bool) -> None:
        self._guard = guard
        self._paid = paid
        self._send = send
        self._awaited = awaited

    def send(self, added: Mapping[str, Any], place: Place) -> Steps[tuple[Charge, Any]]:
        """Return a generator that holds the worst case, sends the call, and returns its charge and response.

        ``added`` are arguments that the caller did not write, such as ``stream_options``. If the server at ``place``
        may have refused them, the call is sent again without them.
        """
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
        sent = yield from self.send({}, place)
        stream_options.refuses(place)
        return sent


def _settling(charge: Charge, response: Any, *, awaited: bool) -> Steps[None]:
    if _is_cached(response):
        return charge.releasing(awaited=awaited)
    return charge.settling(response_of(charge.paid, response), awaited=awaited)


def _refusal(kind: str, request: Mapping[str, Any]) -> ConfigurationError | None:
    if kind != "completion" and request.get("stream"):
        return ConfigurationError(
            "The usage of a stream of LiteLLM's responses() cannot be read, so nothing was sent: leave stream= out, or"
            " stream completion()."
        )
    if not request.get("fallbacks") and not request.get("context_window_fallback_dict"):
        return None
    return ConfigurationError(
        "A completion with fallbacks cannot be held, because the price of another model differs, so nothing was sent:"
        " leave fallbacks out, catch the error, and call completion() with the other model."
    )


def _cost(guard: Guard, paid: Paid, response: Any) -> tuple[int, bool]:
    """Return the cost of a finished call in nano-USD, and whether it is an estimate.

    If the response reports no credible usage, the worst case is returned, as an estimate.
    """
    paid.quoted = guard.rates(paid.model)
    try:
        cost = guard.cost(paid, response_of(paid, response))
        return money.ceil_nano(cost.usd), cost.estimated
    except (UsageMissingError, UnusableUsageError):
        return money.ceil_nano(paid.worst(guard.rates(paid.model))), True


def _unpriced(paid: Paid) -> ConfigurationError:
    return ConfigurationError(
        f"A call of {paid.model!r} was not charged, because its price is not known. State the price"
        " for later calls with GovernanceLogger(price=...) per million tokens, GovernanceLogger(default_cost=...) USD a"
        " call, or GovernanceLogger(cost=0) for a free model."
    )


def _stream_options_of(paid: Paid) -> dict[str, Any]:
    return {} if paid.body is None else {"stream_options": paid.body["stream_options"]}


def _requests_usage(arguments: Mapping[str, Any]) -> bool:
    return bool((arguments.get("stream_options") or {}).get("include_usage"))


def _is_cached(response: Any) -> bool:
    """Whether the response came from LiteLLM's own cache."""
    return (getattr(response, "_hidden_params", None) or {}).get("cache_hit") is True


def _is_complete(kwargs: Mapping[str, Any]) -> bool:
    """Whether LiteLLM's logger was called for a whole response of a provider, not for a chunk or a cached response.

    ``kwargs`` are the details of the call that LiteLLM passes to its loggers.
    """
    if kwargs.get("cache_hit"):
        return False
    parts = ("complete_streaming_response", "async_complete_streaming_response")
    return not kwargs.get("stream") or any(kwargs.get(part) is not None for part in parts)
