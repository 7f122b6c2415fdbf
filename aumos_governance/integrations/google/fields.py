"""Reads the fields of Google's JSON, each of which may have two spellings.

Google's servers accept ``maxOutputTokens`` as well as ``max_output_tokens``, by protobuf's rules for JSON:
https://protobuf.dev/programming-guides/json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from ...errors import ConfigurationError
from ..pricing.seen import utf8_size

_CAPITAL: Final = re.compile(r"[A-Z]")
_DIGITS: Final = re.compile(r"\d{1,18}")


@cache
def _snake(name: str) -> str:
    return _CAPITAL.sub(lambda found: f"_{found[0].lower()}", name)


@cache
def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in others)


def names_of(value: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields that are set, spelled like ``maxOutputTokens``."""
    return {_camel(name) for name, inner in value.items() if inner is not None}


def field_of(value: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field in either spelling, or None if it is not set; ``name`` is like ``maxOutputTokens``.

    Raises ConfigurationError if both spellings are set, since Google does not document which of them applies.
    """
    other = _snake(name)
    found = value.get(name)
    if other == name or (found_in_snake_case := value.get(other)) is None:
        return found
    if found is not None:
        raise ConfigurationError(f"The request has both {name} and {other}, so it was not sent: keep one of them.")
    return found_in_snake_case


def spelled(value: Mapping[str, Any], name: str) -> str:
    """Return the spelling under which ``value`` has the field ``name``, ``name`` itself if it has neither."""
    other = _snake(name)
    return other if other in value and value.get(name) is None else name


def mapping_of(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the value of the field ``name`` as `field_of` does, or an empty mapping if it is no mapping."""
    found = field_of(value, name)
    return found if isinstance(found, Mapping) else {}


def listed(value: object) -> Iterator[Any]:
    """Yield the members of a list, or ``value`` itself if it is no list; Google treats it as a list with one member."""
    if isinstance(value, (list, tuple)):
        yield from value
    elif value is not None:
        yield value


def whole_of(value: Mapping[str, Any], name: str) -> int | None:
    """Return the field ``name`` if it is a whole number of 0 or more, otherwise None.

    In protobuf's JSON a whole number may also be written as a text or like ``1e3``.
    """
    found = field_of(value, name)
    if isinstance(found, str) and _DIGITS.fullmatch(found):
        found = int(found)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return found if type(found) is int and found >= 0 else None


def bytes_of(value: object) -> int:
    """Return the size in UTF-8 of a text, or of another value as JSON, in bytes."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return utf8_size(text)
