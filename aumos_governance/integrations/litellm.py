"""LiteLLM: completions that are held before and settled after, and a logger for those that are not."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from decimal import Decimal
from typing import Any

import litellm
from litellm.integrations.custom_logger import CustomLogger

from .. import money
from ..errors import ConfigurationError
from .calls import UsageMissingError
from .charge import Charge
from .guard import CANNOT_BE_HELD, PRICE_UNKNOWN, Guard, Outcome, body_of
from .guards import Guards
from .litellm_calls import LiteLLMCall, failure_of, price_id
from .pricing import UnusableUsageError

__all__ = ["GovernanceLogger", "GovernedLiteLLM"]


class _Priced(Guards):
    """Which call is made, and its guard."""

    def _call(self, arguments: Mapping[str, Any]) -> tuple[Guard, LiteLLMCall]:
        model, provider, *_ = litellm.get_llm_provider(
            arguments["model"], arguments.get("custom_llm_provider"), arguments.get("api_base")
        )
        return self._guard(price_id(provider)), LiteLLMCall(model, arguments)


class GovernedLiteLLM(_Priced):
    """``litellm.completion`` and ``acompletion``, each call of which is authorised, held and charged.

    A denied call raises GovernanceDeniedError, and one whose price nobody knows ConfigurationError: then nothing is
    sent. What LiteLLM tries again counts as one call; ``fallbacks`` are refused, since another model costs otherwise.
    """

    def completion(self, model: str, messages: list[Any], **arguments: Any) -> Any:
        """As ``litellm.completion``; a stream as well."""
        asked = {"model": model, "messages": messages, **arguments}
        charge, asked = self._begun(asked)
        try:
            answer = litellm.completion(**asked)
        except Exception as error:
            charge.release() if failure_of(error) == Outcome.FREE else charge.estimate()
            raise
        except BaseException:
            charge.abandon()
            raise
        if asked.get("stream"):
            return _Chunks(answer, charge, show_usage=_asks_for_usage(arguments))
        charge.release() if _is_cached(answer) else charge.settle(body_of(answer))
        return answer

    async def acompletion(self, model: str, messages: list[Any], **arguments: Any) -> Any:
        """As ``litellm.acompletion``; a stream as well."""
        asked = {"model": model, "messages": messages, **arguments}
        guard, paid = self._call(asked)
        if (refusal := _refusal(asked)) is not None:
            raise await guard.refused_async(refusal, CANNOT_BE_HELD, paid.name, paid.model)
        charge = await guard.begin_async(paid)
        asked |= _with_usage(paid)
        try:
            answer = await litellm.acompletion(**asked)
        except Exception as error:
            await (charge.release_async() if failure_of(error) == Outcome.FREE else charge.estimate_async())
            raise
        except BaseException:
            charge.abandon()
            raise
        if asked.get("stream"):
            return _AsyncChunks(answer, charge, show_usage=_asks_for_usage(arguments))
        await (charge.release_async() if _is_cached(answer) else charge.settle_async(body_of(answer)))
        return answer

    def _begun(self, asked: dict[str, Any]) -> tuple[Charge, dict[str, Any]]:
        guard, paid = self._call(asked)
        if (refusal := _refusal(asked)) is not None:
            raise guard.refused(refusal, CANNOT_BE_HELD, paid.name, paid.model)
        return guard.begin(paid), {**asked, **_with_usage(paid)}


class GovernanceLogger(CustomLogger, _Priced):  # type: ignore[misc] # LiteLLM is no part of this environment
    """Charges completions that were made without `GovernedLiteLLM`: ``litellm.callbacks = [GovernanceLogger()]``.

    LiteLLM ignores what a logger raises, so it cannot stop a call. It charges the cost afterwards, in full, so that the
    next governed call finds the budget smaller; an answer that tells no usage is charged its worst case. Where the
    trust level allows no call, or nobody knows its price, there is a record of the denial, and no charge.
    """

    def __init__(self, **options: Any) -> None:
        CustomLogger.__init__(self)
        _Priced.__init__(self, **options)

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """Charge what a synchronous call cost."""
        if _is_complete(kwargs):
            guard, paid = self._call(kwargs)
            try:
                cost, estimated = _cost(guard, paid, response_obj)
            except ConfigurationError:
                raise guard.refused(_unpriced(paid), PRICE_UNKNOWN, paid.name, paid.model) from None
            grant = guard.engine.begin(guard.action_of(paid.name, paid.model, Decimal(0)))
            grant.resolve_now(cost, estimated=estimated)

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """Charge what an awaited call cost."""
        if _is_complete(kwargs):
            guard, paid = self._call(kwargs)
            try:
                cost, estimated = _cost(guard, paid, response_obj)
            except ConfigurationError:
                raise await guard.refused_async(_unpriced(paid), PRICE_UNKNOWN, paid.name, paid.model) from None
            grant = await guard.engine.begin_async(guard.action_of(paid.name, paid.model, Decimal(0)))
            await grant.resolve(cost, estimated=estimated)


class _Watched:
    """A stream of LiteLLM's, used as it is, whose charge is settled by the usage in its last chunk."""

    def __init__(self, chunks: Any, charge: Charge, *, show_usage: bool) -> None:
        self._chunks = chunks
        self._charge = charge
        self._show_usage = show_usage
        weakref.finalize(self, charge.abandon).atexit = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chunks, name)

    def _answer(self, chunk: Any) -> Mapping[str, Any] | None:
        return body_of(chunk) if getattr(chunk, "usage", None) is not None else None

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
            if (answer := self._answer(chunk)) is not None:
                self._charge.settle(answer)
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
            if (answer := self._answer(chunk)) is not None:
                await self._charge.settle_async(answer)
                if not self._is_shown(chunk):
                    continue
            return chunk


def _refusal(asked: Mapping[str, Any]) -> ConfigurationError | None:
    if not asked.get("fallbacks") and not asked.get("context_window_fallback_dict"):
        return None
    return ConfigurationError(
        "A completion with fallbacks cannot be held, since another model costs otherwise: catch the error, and call"
        " completion() with the other model."
    )


def _cost(guard: Guard, paid: LiteLLMCall, answer: Any) -> tuple[int, bool]:
    """What a call that was made has cost, in nano-USD, and whether that is an estimate."""
    try:
        cost = guard.cost(paid, body_of(answer))
        return money.ceil_nano(cost.usd), cost.estimated
    except (UsageMissingError, UnusableUsageError):
        return money.ceil_nano(paid.worst(guard.rates(paid.model))), True


def _unpriced(paid: LiteLLMCall) -> ConfigurationError:
    return ConfigurationError(
        f"A completion of {paid.model!r} was made, whose price is not known, and is not charged: state it with"
        " GovernanceLogger(price=...) per million tokens, default_cost=... USD a call, or cost=0."
    )


def _with_usage(paid: LiteLLMCall) -> dict[str, Any]:
    return {} if paid.body is None else {"stream_options": paid.body["stream_options"]}


def _asks_for_usage(arguments: Mapping[str, Any]) -> bool:
    return bool((arguments.get("stream_options") or {}).get("include_usage"))


def _is_cached(answer: Any) -> bool:
    """Whether LiteLLM's own cache had the answer."""
    return (getattr(answer, "_hidden_params", None) or {}).get("cache_hit") is True


def _is_complete(kwargs: Mapping[str, Any]) -> bool:
    """Whether this event tells of a whole answer that was paid for, and not of a chunk or of LiteLLM's cache."""
    if kwargs.get("cache_hit"):
        return False
    parts = ("complete_streaming_response", "async_complete_streaming_response")
    return not kwargs.get("stream") or any(kwargs.get(part) is not None for part in parts)
