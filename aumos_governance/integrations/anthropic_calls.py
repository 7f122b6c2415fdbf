"""What Anthropic's calls may cost at worst, and what they say that they used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from . import anthropic_later
from .anthropic_sizes import Size, size_of
from .calls import Asked, Cost, Meter, Paid, UsageMissingError, body_of_json, unknown_method
from .later import Later
from .pricing import Rates, unknown_price
from .seen import Seen

if TYPE_CHECKING:
    from .guard import Guard

__all__ = ["PROVIDER"]

_FREE_POSTS: Final = ("/v1/messages/count_tokens", "/v1/files", "/v1/skills")
_FREE_METHODS: Final = frozenset({"get", "delete"})
"""Reading costs nothing there, nor does deleting: what was made was paid for when it was made."""
_ANY_CONTEXT: Final = 1_000_000
"""The most tokens of a request to a model whose context window is not known."""
_DEARER: Final = {"speed": "fast", "inference_geo": "us", "service_tier": "priority"}
"""Terms under which the published prices of genai-prices do not hold."""


class AnthropicProvider:
    """Knows Anthropic's paths, also those of its clients for Bedrock, Vertex and Foundry, which begin as the same."""

    price_id = "anthropic"

    def paid(self, asked: Asked) -> Paid | None:
        """The call that a request makes; None for one that costs nothing. Raises ConfigurationError."""
        method, path = asked.method.lower(), asked.path.partition("?")[0]
        if method in _FREE_METHODS or path.startswith(_FREE_POSTS):
            return None
        if path == "/v1/messages":
            return _Message(asked)
        if path == "/v1/complete":
            return _Completion(asked)
        if path == "/v1/messages/batches":
            return anthropic_later.batch_of(asked, self.paid)
        if path.startswith("/v1/messages/batches/") and path.endswith("/cancel"):
            return None
        raise unknown_method(asked)

    def later(self, asked: Asked, guard: Guard) -> Later | None:
        """As `Provider.later`."""
        return anthropic_later.later(asked, guard)


PROVIDER: Final = AnthropicProvider()


class _Message:
    """One message, streamed or not, of the beta interface too."""

    name = "messages"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, asked: Asked) -> None:
        self.model = str(asked.body.get("model") or "")
        self._asked = asked.body

    def worst(self, rates: Rates) -> Decimal:
        """As long an answer as it allows, to an input that is all text of one byte a token, at its dearest price."""
        terms = [name for name, dear in _DEARER.items() if self._asked.get(name) == dear]
        if terms and rates.found:
            raise unknown_price(f"{self.model} with {terms[0]}={_DEARER[terms[0]]!r}")
        size, output = size_of(self._asked), self._asked.get("max_tokens")
        if size.runs_code and rates.flat is None:
            # By the hour of a container, of which the usage says nothing.
            raise unknown_price(f"{self.model} with code execution")
        tokens = _input_bound(size, rates)
        kinds = [kind for kind, said in (("cache_write", size.cached), ("cache_write_1h", size.cached_1h)) if said]
        searched = Decimal(0)
        if size.searches and rates.flat is None:
            if not rates.has("web_searches_kcount"):
                raise unknown_price(f"{self.model} with web search")
            searched = rates.cost({"web_searches": size.searches})
        return searched + rates.bound(tokens, output if isinstance(output, int) else tokens, kinds=kinds)

    def cost(self, rates: Rates, answer: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """By the usage of the answer. Raises UsageMissingError, also for terms that have no published price."""
        usage = answer.get("usage")
        if not isinstance(usage, Mapping):
            raise UsageMissingError
        if rates.found and any(usage.get(name) == dear for name, dear in _DEARER.items()):
            raise UsageMissingError
        used = _units(usage)
        for iteration in usage.get("iterations") or ():
            # The sums leave out what the server did beside: a compaction by the same model, or other models' work.
            kind = iteration.get("type") if isinstance(iteration, Mapping) else None
            if kind == "compaction":
                for unit, count in _units(iteration).items():
                    used[unit] = used.get(unit, 0) + count
            elif kind != "message":
                raise UsageMissingError
        return Cost(rates.cost(used))

    def meter(self) -> Meter:
        """For its stream."""
        return _MessageMeter()


class _Completion:
    """One legacy text completion. Its answers never say what they used."""

    name = "completions"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, asked: Asked) -> None:
        self.model = str(asked.body.get("model") or "")
        self._asked = asked.body

    def worst(self, rates: Rates) -> Decimal:
        """As long an answer as it allows."""
        tokens, output = _input_bound(size_of(self._asked), rates), self._asked.get("max_tokens_to_sample")
        return rates.bound(tokens, output if isinstance(output, int) else tokens)

    def cost(self, rates: Rates, answer: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """What every call costs, where that was stated. Raises UsageMissingError otherwise."""
        if rates.flat is None:
            raise UsageMissingError
        return Cost(rates.flat)

    def meter(self) -> Meter:
        """For its stream."""
        return _CompletionMeter()


@dataclass(slots=True)
class _MessageMeter:
    """The input is told with the first event, the output with the last but one; both are sums, not differences."""

    answer: Mapping[str, Any] | None = None
    ended: bool = False
    seen: Seen = field(default_factory=Seen)
    _model: str = ""
    _begun: Mapping[str, Any] | None = None

    def see(self, data: bytes) -> bool:
        if b'"usage"' not in data and b'"message_stop"' not in data:
            return False
        event = body_of_json(data)
        kind = event.get("type")
        if kind == "message_start" and isinstance(event.get("message"), dict):
            self._model = event["message"].get("model") or ""
            self._begun = event["message"].get("usage")
        elif kind == "message_delta" and isinstance(event.get("usage"), dict):
            begun = self._begun if isinstance(self._begun, dict) else {}
            told = {name: value for name, value in event["usage"].items() if value is not None}
            self._begun = {**begun, **told}
            self.answer = {"model": self._model, "usage": self._begun}
        elif kind == "message_stop":
            self.ended = True
        return False


@dataclass(slots=True)
class _CompletionMeter:
    answer: Mapping[str, Any] | None = None
    ended: bool = False
    seen: Seen = field(default_factory=Seen)

    def see(self, data: bytes) -> bool:
        event = body_of_json(data)
        if event.get("stop_reason") is not None:
            self.answer, self.ended = event, True
        return False


def _input_bound(size: Size, rates: Rates) -> int:
    window = rates.context_window
    if size.unbounded:
        return window or _ANY_CONTEXT
    return size.tokens if window is None else min(size.tokens, window)


def _units(usage: Mapping[str, Any]) -> dict[str, int]:
    """The counts under genai-prices' names, where what came from the cache or went into it is input as well."""
    created = usage.get("cache_creation")
    created = created if isinstance(created, Mapping) else {}
    searches = usage.get("server_tool_use")
    searches = searches if isinstance(searches, Mapping) else {}
    written, read = _count(usage, "cache_creation_input_tokens"), _count(usage, "cache_read_input_tokens")
    written_1h = _count(created, "ephemeral_1h_input_tokens")
    if written_1h > written:
        raise UsageMissingError
    return {
        "input_tokens": _count(usage, "input_tokens", needed=True) + written + read,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": written_1h,
        "cache_read_tokens": read,
        "output_tokens": _count(usage, "output_tokens", needed=True),
        "web_searches": _count(searches, "web_search_requests"),
    }


def _count(usage: Mapping[str, Any], name: str, *, needed: bool = False) -> int:
    value = usage.get(name)
    if value is None and not needed:
        return 0
    if type(value) is not int or value < 0:
        raise UsageMissingError
    return value
