"""Computes the most tokens that the input of a request to Google's API can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..pricing.sizes import AUDIO_BYTES_A_SECOND
from .fields import bytes_of, field_of, listed, mapping_of, names_of, whole_of
from .models import AUDIO_TOKENS_A_SECOND, image_tokens

_FRAME: Final = 16
"""An upper bound of the tokens that frame a turn or a part of it."""
_NOT_READ: Final = frozenset({"model", "safetySettings", "labels", "serviceTier", "store", "modelArmorConfig"})
"""Fields of a request that are not part of the model's input."""
_MEASURED: Final = frozenset({"contents", "content", "systemInstruction"})
"""Fields with contents, whose parts are measured one by one."""
_HIDDEN: Final = frozenset({"cachedContent", "continuationToken"})
"""Fields of a request that refer to further input, which the request does not show."""
_MEDIA: Final = frozenset({"audio", "image", "video"})
_PLAIN_PARTS: Final = frozenset(
    {"text", "thought", "thoughtSignature", "functionCall", "executableCode", "codeExecutionResult", "toolCall"}
    | {"toolResponse", "videoMetadata", "mediaResolution", "partMetadata"}
)
"""Fields of a part that have at most as many tokens as bytes."""


@dataclass(slots=True)
class Size:
    """The most that the input of a request can be, with one token per byte of text, and the media in it."""

    tokens: int = 0
    kinds: set[str] = field(default_factory=set)
    """The media that the input may have besides text: ``audio``, ``image``, ``video``."""
    unseen: bool = False
    """Whether some input is not in the request itself; the most input is then the model's whole context window."""

    def hide(self, *kinds: str) -> None:
        """Note that the request does not show all of the input; the rest may have media of these ``kinds``."""
        self.unseen = True
        self.kinds.update(kinds)


def size_of(body: Mapping[str, Any], model: str) -> Size:
    """Measure the body of a request to ``model``; the tokens of an image depend on the model."""
    size = Size()
    names = names_of(body)
    for name in ("contents", "content", "systemInstruction"):
        for content in listed(field_of(body, name)):
            add_content(size, content, model)
    if names & _HIDDEN:
        size.hide(*_MEDIA)
    for name in names - _MEASURED - _NOT_READ - _HIDDEN:
        # All other fields, such as the tools and the schema of the response, are written into the input.
        size.tokens += bytes_of(name) + bytes_of(field_of(body, name))
    return size


def add_content(size: Size, content: object, model: str) -> None:
    """Add the tokens of ``content``, a turn or an instruction, to ``size``; it is a mapping with parts, or a text."""
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
            # The parts of a function's response may be media: https://ai.google.dev/gemini-api/docs/function-calling#multimodal.
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
    # Base64 encodes three bytes in four characters.
    length = len(data) * 3 // 4 + 1 if isinstance(data, str) else 0
    if kind == "image":
        _add_image(size, part, model)
    elif kind == "audio":
        size.kinds.add("audio")
        size.tokens += (length // AUDIO_BYTES_A_SECOND + 1) * AUDIO_TOKENS_A_SECOND
    elif kind == "text":
        size.tokens += length
    else:
        # The bytes do not show the length of a video or the number of a document's pages.
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
    """Return the media type of a file or of inline data up to the slash, such as ``image``; empty without a type."""
    media_type = field_of(blob, "mimeType") if isinstance(blob, Mapping) else None
    return media_type.partition("/")[0].strip().lower() if isinstance(media_type, str) else ""
