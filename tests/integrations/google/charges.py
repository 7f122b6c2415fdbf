"""The costs of the calls in `library`."""

from __future__ import annotations

from decimal import Decimal

from tests.integrations.endpoint.replies import Tokens
from tests.integrations.google.library import MODEL, Program
from tests.integrations.till import priced


def price_of(program: Program) -> Decimal:
    """The cost that genai-prices computes for all calls of a program."""
    if program.model is None:
        return Decimal(0)
    total = Decimal(0)
    for reply in program.replies:
        assert isinstance(reply.usage, Tokens)
        used = {"input_tokens": reply.usage.input}
        if program.model == MODEL:
            used["output_tokens"] = reply.usage.output + reply.usage.reasoning
        total += priced(program.model, used, provider="google")
    return total
