"""One run of a LangChain model under `GovernedCalls`, whole or streamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aumos_governance.integrations.langchain import GovernedCalls
from tests.integrations.till import Till

__all__ = ["Call", "config", "each_way", "invoke", "stream"]


def config(till: Till, **options: Any) -> Any:
    return {"callbacks": [GovernedCalls(engine=till.engine, budget_category="llm", **options)]}


def invoke(model: Any, till: Till, question: Any = "What is six times seven?") -> None:
    model.invoke(question, config=config(till))


def stream(model: Any, till: Till, question: Any = "What is six times seven?") -> None:
    for _ in model.stream(question, config=config(till)):
        pass


Call = Callable[..., None]
each_way = pytest.mark.parametrize("call", [invoke, stream])
