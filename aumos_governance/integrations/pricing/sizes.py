"""Upper bounds for how many tokens a request's input may be, from its size alone.

Text: one token a byte of UTF-8, and so for the JSON around it. Every tokenizer in use is built on bytes or on larger
pieces, so no text has more. Media are bounded as stated below; what the provider adds unseen (stored conversations,
files, what tools find) is not bounded by the request's size, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .schemas import UNKNOWN, plain
from .seen import utf8_size

__all__ = ["AUDIO_BYTES_A_SECOND", "AUDIO_TOKENS_A_SECOND", "IMAGE_TOKENS", "Size", "size_of"]

IMAGE_TOKENS: Final = 50_000
"""The most tokens of one image: gpt-4o-mini counts 48,169 for a large one in high detail, others far fewer."""
AUDIO_BYTES_A_SECOND: Final = 750
"""The fewest bytes of a second of speech: 6 kbit/s."""
AUDIO_TOKENS_A_SECOND: Final = 25
_NUMBER: Final = 20
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
"""Fields for content whose size the request does not show."""
_MARKED: Final = _UNSEEN | {"video_url", "input_video", "image_url", "image_file", "source"}
"""Fields whose text may stand for more than itself."""


@dataclass(slots=True)
class Size:
    """How large a request's input may be."""

    tokens: int = 0
    kinds: set[str] = field(default_factory=set)
    """What there is beside text: ``audio``, ``image``, ``video``."""
    unseen: bool = False
    """Part of the input is not in the request: only the model's context window bounds it."""


def size_of(value: object) -> Size:
    """The size of a JSON value and all that is in it."""
    size = Size()
    _add(value, size)
    return size


def _add(value: object, size: Size) -> None:
    if isinstance(value, str):
        size.tokens += 2 + utf8_size(value)
    elif type(value) is dict or isinstance(value, Mapping):
        # To check for any mapping or sequence takes several times as long as for those of JSON.
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
            # Its length is not in the request.
            size.kinds.add("video")
            size.unseen = True
        elif name in ("image_url", "image_file") or (name == "source" and value.get("type") == "image"):
            size.kinds.add("image")
            size.tokens += IMAGE_TOKENS
        else:
            _add(member, size)


def _seconds(encoded: object) -> int:
    # Base64 has four characters for three bytes.
    return (len(encoded) * 3 // 4 if isinstance(encoded, str) else 0) // AUDIO_BYTES_A_SECOND + 1
