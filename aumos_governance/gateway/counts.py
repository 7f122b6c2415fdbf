"""What a provider counted for a call, as the record has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["counts_of"]

_PLACES: Final = ("usage", "usageMetadata")
"""Where OpenAI's and Anthropic's, and where Google's responses have their counts."""
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,48}")
_MOST: Final = 32
_LARGEST: Final = 1 << 53


def counts_of(response: Mapping[str, Any]) -> dict[str, int]:
    """The counts of a response by their names there, such as ``prompt_tokens_details.cached_tokens``; without zeros."""
    for place in _PLACES:
        usage = response.get(place)
        if isinstance(usage, Mapping):
            return dict(list(_counted(usage, ""))[:_MOST])
    return {}


def _counted(usage: Mapping[str, Any], within: str) -> Iterator[tuple[str, int]]:
    for name, value in usage.items():
        if _NAME.fullmatch(str(name)) is None:
            continue
        if type(value) is int and 0 < value < _LARGEST:
            yield f"{within}{name}", value
        elif isinstance(value, Mapping) and not within:
            yield from _counted(value, f"{name}.")
