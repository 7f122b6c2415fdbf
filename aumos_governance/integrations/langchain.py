"""LangChain: a callback that governs models' calls, and tools as governed actions."""

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
    """Holds the worst case of each call of a model, and settles its true cost.

    Given to a run as ``config={"callbacks": [GovernedCalls()]}`` it governs all models within; given to a model as
    ``callbacks=[...]``, this one. The arguments are those of `govern`. A denied call raises GovernanceDeniedError, and
    one whose price is not known ConfigurationError: then nothing is sent to the provider.

    What it cannot hold is not part of LangChain's callbacks: embeddings, and prompts that one call sends as several,
    which are refused. What a provider's client tries again counts as one call.
    """

    # Without these LangChain logs an error and goes on, and awaits other callbacks at the same time.
    raise_error = True
    run_inline = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._runs: dict[UUID, tuple[Charge, asyncio.Task[Any] | None, Callable[[asyncio.Task[Any]], None]]] = {}

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[Any]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Hold the worst case."""
        self._begin(run_id, serialized, messages, kwargs)

    def on_llm_start(self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **kwargs: Any) -> None:
        """Hold the worst case."""
        self._begin(run_id, serialized, prompts, kwargs)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Settle by the usage."""
        if (charge := self._taken(run_id)) is not None:
            # What LangChain had kept from an earlier call was not requested again.
            charge.release() if is_from_cache(response) else charge.settle(response_of(response))

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Release the calls that an error ended, and settle the rest as an estimate."""
        if (charge := self._taken(run_id)) is None:
            return
        if not isinstance(error, Exception):
            # Perhaps from the garbage collector, where nothing may be waited for.
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
            raise guard.refused(refusal, CANNOT_BE_HELD, call.name, call.model)
        charge, task = guard.begin(call), _task()
        # LangChain calls no callback for a call whose task was cancelled.
        left = partial(self._left, run_id)
        self._runs[run_id] = charge, task, left
        if task is not None:
            task.add_done_callback(left)

    def _left(self, run_id: UUID, _: asyncio.Task[Any]) -> None:
        if (charge := self._taken(run_id)) is not None:
            charge.abandon()

    def _taken(self, run_id: UUID) -> Charge | None:
        charge, task, left = self._runs.pop(run_id, (None, None, None))
        if task is not None and left is not None:
            task.remove_done_callback(left)
        return charge


def _task() -> asyncio.Task[Any] | None:
    with suppress(RuntimeError):
        return asyncio.current_task()
    return None
