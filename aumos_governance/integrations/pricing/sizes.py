"""Computes the most tokens that a request's input can have, from its size in bytes, without a tokenizer.

Each byte of UTF-8 is counted as one token, in texts and in the JSON around them. Tokenizers are built on bytes or on
larger pieces, so no text has more tokens. For images and sound, the constants below apply. A request may also refer to
content that the provider adds, such as stored conversations and files. The request does not show the size of this
content; `Size.unseen` then is True.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .schemas import UNKNOWN, plain
from .seen import utf8_size

IMAGE_TOKENS: Final = 50_000
"""The most tokens of one image: gpt-4o-mini counts 48,169 for a large one in high detail, other models far fewer."""
AUDIO_BYTES_A_SECOND: Final = 750
"""The fewest bytes of a second of speech, at 6 kbit/s."""
AUDIO_TOKENS_A_SECOND: Final = 25
"""The most tokens of a second of audio."""
_NUMBER: Final = 20
"""The most tokens of a number, of a boolean or of null."""
_UNSEEN: Final = frozenset(
    {
        "conversation",
        "file_id",
        "file_ids",
        "file_url",
        "file_data",
        "previous_response_id",
        "prompt",
        "vector_store_ids",
    }
)
"""Fields that refer to content whose size the request does not show."""
_MARKED: Final = _UNSEEN | {"video_url", "input_video", "image_url", "image_file", "source"}
"""Fields whose value may be a short text, such as a URL, that refers to content with many more tokens."""


@dataclass(slots=True)
class Size:
    """The most that a request's input can be: the number of its tokens, and the media in it."""

    tokens: int = 0
    kinds: set[str] = field(default_factory=set)
    """The media in the input besides text: ``audio``, ``image``, ``video``."""
    unseen: bool = False
    """Whether some input is not in the request itself; the most input is then the model's whole context window."""


def size_of(value: object) -> Size:
    """Measure a request, or a part of it: a JSON value with everything in it; `plain` converts other objects."""
    size = Size()
    _add(value, size)
    return size


def _add(value: object, size: Size) -> None:
    if isinstance(value, str):
        size.tokens += 2 + utf8_size(value)
    elif type(value) is dict or isinstance(value, Mapping):
        # The exact types of JSON are checked first: to check for any mapping or sequence takes several times as long.
        _add_fields(value, size)
    elif type(value) is list or (isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray))):
        size.tokens += 2
        for member in value:
            _add(member, size)
    elif isinstance(value, (bytes, bytearray)):
        size.tokens += len(value)
    elif value is None or isinstance(value, (bool, int, float)):
        size.tokens += _NUMBER
    elif (converted := plain(value)) is UNKNOWN:
        size.unseen = True
    else:
        _add(converted, size)


def _add_fields(value: Mapping[Any, Any], size: Size) -> None:
    for name, member in value.items():
        size.tokens += len(str(name)) + 6
        if type(member) is str and name not in _MARKED:
            size.tokens += 2 + utf8_size(member)
        elif name in _UNSEEN and member:
            size.unseen = True
        elif name == "input_audio" and isinstance(member, Mapping):
            size.kinds.add("audio")
            size.tokens += _seconds(member.get("data")) * AUDIO_TOKENS_A_SECOND
        elif name in ("video_url", "input_video"):
            # The request does not show the length of the video.
            size.kinds.add("video")
            size.unseen = True
        elif name in ("image_url", "image_file") or (name == "source" and value.get("type") == "image"):
            size.kinds.add("image")
            size.tokens += IMAGE_TOKENS
        else:
            _add(member, size)


def _seconds(encoded: object) -> int:
    # Base64 encodes three bytes in four characters.
    return (len(encoded) * 3 // 4 if isinstance(encoded, str) else 0) // AUDIO_BYTES_A_SECOND + 1
