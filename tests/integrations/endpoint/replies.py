"""What a test has the endpoint send: a text or tool calls, their tokens, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider says it used, as its wire names it.

    ``input`` is `prompt_tokens` or `input_tokens` as written on the wire: OpenAI's counts what came from its cache, and
    Anthropic's does not count what was read from or written to its own.
    """

    input: int = 11
    output: int = 7
    cached: int = 0
    """Of OpenAI's input; on Anthropic's wire, `cache_read_input_tokens`, beside the input."""
    cache_written: int = 0
    """Kept for five minutes on Anthropic's wire."""
    cache_written_1h: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    image_input: int = 0
    seconds: float | None = None
    """A transcription that is billed by time says this and no tokens."""


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
    """A mapping goes out as it is, right or wrong; None: the response has no usage."""
    model: str | None = None
    """The model that the response names; None: as requested."""
    status: int = 200
    """From 400 on: the provider's error body in place of a response."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Goes out in place of the body that would be made."""
    pause_after: int | None = None
    """Waits after so many pieces until the test releases the exchange; 0: before the head of the response."""
    break_after: int | None = None
    """Drops the connection after so many pieces, and a pause; 0: with no response at all. What is no stream breaks in
    the middle of its body."""
    error_after: int | None = None
    """Ends a stream after so many pieces with the provider's error event."""
    interval: float = 0.0
    """Seconds between two pieces."""

    @property
    def words(self) -> list[str]:
        """The text in the pieces that a stream sends it in."""
        words = self.text.split(" ")
        return [word if not place else f" {word}" for place, word in enumerate(words)]
