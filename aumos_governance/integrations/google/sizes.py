"""How much input a request of Google's shape may come to, in tokens: an upper bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..pricing.sizes import AUDIO_BYTES_A_SECOND
from .fields import bytes_of, field_of, listed, mapping_of, names_of, whole_of
from .models import AUDIO_TOKENS_A_SECOND, image_tokens

__all__ = ["Size", "add_content", "size_of"]

_FRAME: Final = 16
"""Tokens with which a turn or a part of one is framed, and more."""
_NOT_READ: Final = frozenset({"model", "safetySettings", "labels", "serviceTier", "store", "modelArmorConfig"})
"""Fields that the model does not read."""
_MEASURED: Final = frozenset({"contents", "content", "systemInstruction"})
_HIDDEN: Final = frozenset({"cachedContent", "continuationToken"})
"""Fields that stand for input which the request does not show."""
_MEDIA: Final = frozenset({"audio", "image", "video"})
_PLAIN_PARTS: Final = frozenset(
    {"text", "thought", "thoughtSignature", "functionCall", "executableCode", "codeExecutionResult", "toolCall"}
    | {"toolResponse", "videoMetadata", "mediaResolution", "partMetadata"}
)
"""Fields of a part that come to no more tokens than they have bytes."""


@dataclass(slots=True)
class Size:
    """How large an input may be. A token is at least one byte of text."""

    tokens: int = 0
    kinds: set[str] = field(default_factory=set)
    """What there may be beside text: ``audio``, ``image``, ``video``."""
    unseen: bool = False
    """Part of the input is not in the request: only the model's context window bounds it."""

    def hide(self, *kinds: str) -> None:
        """Note input that the request does not show."""
        self.unseen = True
        self.kinds.update(kinds)


def size_of(body: Mapping[str, Any], model: str) -> Size:
    """Measure a request to a model."""
    size = Size()
    names = names_of(body)
    for name in ("contents", "content", "systemInstruction"):
        for content in listed(field_of(body, name)):
            add_content(size, content, model)
    if names & _HIDDEN:
        size.hide(*_MEDIA)
    for name in names - _MEASURED - _NOT_READ - _HIDDEN:
        # Such as the schema of the response, and the tools, which are written into the input.
        size.tokens += bytes_of(name) + bytes_of(field_of(body, name))
    return size


def add_content(size: Size, content: object, model: str) -> None:
    """Measure a turn, or an instruction: its parts, or a text."""
    size.tokens += _FRAME
    if not isinstance(content, Mapping):
        size.tokens += bytes_of(content)
        return
    for part in listed(field_of(content, "parts")):
        _add_part(size, part, model)
    if names_of(content) - {"parts", "role"}:
        size.hide(*_MEDIA)


def _add_part(size: Size, part: object, model: str) -> None:
    size.tokens += _FRAME
    if not isinstance(part, Mapping):
        size.tokens += bytes_of(part)
        return
    for name in names_of(part):
        value = field_of(part, name)
        if name == "inlineData":
            _add_media(size, value, part, model)
        elif name == "fileData":
            _add_file(size, value, part, model)
        elif name == "functionResponse" and isinstance(value, Mapping):
            # Its parts may be media: https://ai.google.dev/gemini-api/docs/function-calling#multimodal.
            for inner in listed(field_of(value, "parts")):
                _add_part(size, inner, model)
            size.tokens += bytes_of({key: inner for key, inner in value.items() if key != "parts"})
        elif name in _PLAIN_PARTS:
            size.tokens += bytes_of(value)
        else:
            size.hide(*_MEDIA)


def _add_media(size: Size, blob: object, part: Mapping[str, Any], model: str) -> None:
    kind = _kind(blob)
    data = field_of(blob, "data") if isinstance(blob, Mapping) else None
    # Base64 has four characters for three bytes.
    length = len(data) * 3 // 4 + 1 if isinstance(data, str) else 0
    if kind == "image":
        _add_image(size, part, model)
    elif kind == "audio":
        size.kinds.add("audio")
        size.tokens += (length // AUDIO_BYTES_A_SECOND + 1) * AUDIO_TOKENS_A_SECOND
    elif kind == "text":
        size.tokens += length
    else:
        # A film's length, and a document's pages, are not to be seen from its bytes.
        size.hide(*_MEDIA)


def _add_file(size: Size, file: object, part: Mapping[str, Any], model: str) -> None:
    if _kind(file) == "image":
        _add_image(size, part, model)
    else:
        size.hide(*_MEDIA)


def _add_image(size: Size, part: Mapping[str, Any], model: str) -> None:
    size.kinds.add("image")
    stated = whole_of(mapping_of(part, "mediaResolution"), "numTokens")
    size.tokens += max(image_tokens(model), stated or 0)


def _kind(blob: object) -> str:
    """The first half of a media type, in lower case; empty where none is stated."""
    given = field_of(blob, "mimeType") if isinstance(blob, Mapping) else None
    return given.partition("/")[0].strip().lower() if isinstance(given, str) else ""
