"""The replies that a test scripts for the endpoint: text or tool calls, the reported usage, and faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Tokens:
    """The counts of a usage report.

    ``input`` is written as `prompt_tokens` or `input_tokens`. OpenAI's includes the tokens from the cache; Anthropic's
    includes neither those read from the cache nor those written to it.
    """

    input: int = 11
    output: int = 7
    cached: int = 0
    """The part of OpenAI's input that came from the cache; Anthropic's `cache_read_input_tokens`, beside the input."""
    cache_written: int = 0
    """The tokens that Anthropic writes to the cache for five minutes."""
    cache_written_1h: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    image_input: int = 0
    seconds: float | None = None
    """The seconds that a transcription reports in place of tokens if it is billed by time."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model requests."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """One response of the endpoint. A piece is one SSE event of a stream, or the one body there is otherwise."""

    text: str = "The answer is forty-two."
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Tokens | Mapping[str, Any] | None = field(default_factory=Tokens)
    """The reported usage; a mapping is sent unchanged, and with None the response has no usage."""
    model: str | None = None
    """The model that the response names, or None for the requested one."""
    status: int = 200
    """The HTTP status; from 400 on, the provider's error body is sent in place of a response."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """A body that is sent in place of the one made of the other fields."""
    pause_after: int | None = None
    """The number of pieces after which the endpoint waits for the test's release; 0 is before the head."""
    break_after: int | None = None
    """The number of pieces after which, and after any pause, the connection is dropped; 0 is without any response. An
    unstreamed body is dropped in its middle."""
    error_after: int | None = None
    """The number of pieces after which a stream ends with the provider's error event."""
    interval: float = 0.0
    """Seconds between two pieces."""

    @property
    def words(self) -> list[str]:
        """The pieces in which a stream sends a text."""
        words = self.text.split(" ")
        return [word if not place else f" {word}" for place, word in enumerate(words)]
