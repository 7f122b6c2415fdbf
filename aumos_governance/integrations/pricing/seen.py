"""The measure of the visible output of a response; the response's usage report is checked against it."""

from __future__ import annotations

from dataclasses import dataclass


def utf8_size(text: str) -> int:
    """Return the size of a text in UTF-8, in bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class Seen:
    """The amounts of a response that arrived, measured event by event in a stream or in a whole body."""

    text: int = 0
    """The bytes of visible text in UTF-8, of all choices."""
    tools: int = 0
    """The bytes of the names and arguments of tool calls, in UTF-8."""
    reasoning: int = 0
    """The bytes of the reasoning or of its summary, in UTF-8, if the response shows it."""
    media: int = 0
    """The bytes of images and sound, as encoded in the response."""
    hidden: bool = True
    """Whether output that is not shown, such as a model's reasoning, may have been charged."""
    whole: bool = False
    """Whether the response arrived to its end; False if it broke off, or is not read to its end yet."""

    @property
    def visible(self) -> int:
        """The bytes of text and tool calls, the output that the model wrote for the caller."""
        return self.text + self.tools

    @property
    def anything(self) -> bool:
        """Whether any output arrived."""
        return bool(self.text or self.tools or self.reasoning or self.media)
