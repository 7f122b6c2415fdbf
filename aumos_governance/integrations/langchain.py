"""The adapter for LangChain: a callback handler that governs calls of models, and `governed_tool` for tools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.outputs import LLMResult

from ..errors import ConfigurationError
from .frameworks.langchain_calls import LangChainCall, address_of, provider_of
from .frameworks.langchain_responses import is_from_cache, response_of
from .guarding.charge import Charge
from .guarding.guard import CANNOT_BE_HELD, Outcome, outcome_of
from .guarding.guards import Guards
from .langchain_tools import governed_tool

__all__ = ["GovernedCalls", "governed_tool"]


class GovernedCalls(Guards, BaseCallbackHandler):
    """A callback handler that holds the worst case of each call of a model, and settles its true cost.

    Passed to a run as ``config={"callbacks": [GovernedCalls()]}``, the handler governs all models in that run; passed
    to a model as ``callbacks=[...]``, it governs that model only. Its constructor has the keyword arguments of
    `govern`. A denied call raises GovernanceDeniedError, and a call whose price is not known raises ConfigurationError;
    neither is sent.

    Embeddings are not governed, since LangChain has no callbacks for them. A call with several prompts is refused,
    since the prompts cannot be held one by one. A call that the provider's client retries is held and charged once.
    """

    # Without `raise_error` LangChain logs an exception and goes on; without `run_inline` it awaits other callbacks at
    # the same time.
    raise_error = True
    run_inline = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._runs: dict[UUID, tuple[Charge, asyncio.Task[Any] | None, Callable[[asyncio.Task[Any]], None]]] = {}

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[Any]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Hold the worst case of a chat model's call; LangChain calls this method before it sends the request."""
        self._begin(run_id, serialized, messages, kwargs)

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any) -> None:
        """Hold the worst case of a text completion model's call; LangChain calls this before it sends the request."""
        self._begin(run_id, serialized, prompts, kwargs)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Charge a completed call by the usage that its response reports; a response from a cache costs nothing."""
        if (charge := self._pop_charge(run_id)) is not None:
            # A response from LangChain's cache was not requested from the provider.
            charge.release() if is_from_cache(response) else charge.settle(response_of(response))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Release the hold of a failed call that cost nothing; charge the held amount of any other failed call."""
        if (charge := self._pop_charge(run_id)) is None:
            return
        if not isinstance(error, Exception):
            # The garbage collector may raise GeneratorExit in any thread, so this must not wait for the ledger.
            charge.abandon()
        elif outcome_of(error) == Outcome.FREE:
            charge.release()
        else:
            charge.estimate()

    def _begin(self, run_id: UUID, model: Mapping[str, Any] | None, inputs: list[Any], run: Mapping[str, Any]) -> None:
        metadata, parameters = run.get("metadata") or {}, run.get("invocation_params") or {}
        guard = self._guard(provider_of(metadata, parameters), address_of(model, metadata, parameters))
        if guard.at_gateway:
            return
        call = LangChainCall(inputs, parameters, metadata, (model or {}).get("kwargs"))
        if run.get("batch_size", 1) > 1 or len(inputs) > 1:
            refusal = ConfigurationError(
                "Several prompts in one call cannot be held one by one, so nothing was sent: invoke the model for each,"
                " or batch(..., config={'max_concurrency': 1})."
            )
            raise guard.record_refusal(refusal, CANNOT_BE_HELD, call.name, call.model)
        charge, task = guard.begin(call), _current_task()
        # LangChain calls no callback for a call whose task is cancelled, so the end of the task is observed.
        on_done = partial(self._task_done, run_id)
        self._runs[run_id] = charge, task, on_done
        if task is not None:
            task.add_done_callback(on_done)

    def _task_done(self, run_id: UUID, _: asyncio.Task[Any]) -> None:
        if (charge := self._pop_charge(run_id)) is not None:
            charge.abandon()

    def _pop_charge(self, run_id: UUID) -> Charge | None:
        charge, task, on_done = self._runs.pop(run_id, (None, None, None))
        if task is not None and on_done is not None:
            task.remove_done_callback(on_done)
        return charge


def _current_task() -> asyncio.Task[Any] | None:
    with suppress(RuntimeError):
        return asyncio.current_task()
    return None
