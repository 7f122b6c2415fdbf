"""What visibly arrived in a response: evidence to hold a usage report against."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Seen", "utf8_size"]


def utf8_size(text: str) -> int:
    """The bytes of UTF-8 that a text has."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@dataclass(slots=True)
class Seen:
    """How much of a response arrived, counted by a meter event by event, or read from a whole body."""

    text: int = 0
    """Bytes of UTF-8 of the text that the caller can read, of all choices."""
    tools: int = 0
    """Bytes of UTF-8 of the names and arguments of tool calls."""
    reasoning: int = 0
    """Bytes of UTF-8 of reasoning, or of its summary, as far as it is shown."""
    media: int = 0
    """Bytes of images and sound, as encoded in the response."""
    hidden: bool = True
    """Output that is not shown may have been charged, such as a model's reasoning."""
    whole: bool = False
    """The response arrived to its end. False: it broke off, or was not read on."""

    @property
    def visible(self) -> int:
        """Bytes of text and of tool calls: what the model wrote for the caller."""
        return self.text + self.tools

    @property
    def anything(self) -> bool:
        """Whether any output arrived."""
        return bool(self.text or self.tools or self.reasoning or self.media)
