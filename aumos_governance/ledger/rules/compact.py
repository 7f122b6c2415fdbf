"""JSON in its one canonical form: no spaces, keys sorted, text as it is.

The same values always give the same text, so that the text can be hashed and compared. For text, whole numbers of up
to 64 bits, booleans and null it is, byte for byte, what the standard library writes with ``ensure_ascii=False``, keys
sorted and no spaces; so whoever recomputes a hash needs no library of ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import orjson

__all__ = ["dumps", "encode", "encoder_with"]

# Objects of our own go to `default`; a date has no one form in JSON, and is for the caller to write.
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def encoder_with(default: Callable[[Any], Any] | None) -> Callable[[Any], bytes]:
    """A canonical encoder to UTF-8; ``default`` gives the JSON value of anything JSON does not know.

    The encoder raises TypeError or ValueError for what it cannot write, and UnicodeEncodeError (a ValueError) for text
    that is not valid Unicode. A float that is not finite it may write as null: what can hold one goes to `dumps`.
    """
    # Knows longer numbers and keys that are no text, and finds words for what nobody can write.
    plain = _careful_with(default)
    quick = orjson.dumps

    def encode(value: Any) -> bytes:
        try:
            return quick(value, default, _OPTIONS)
        except TypeError:
            return plain(value).encode()

    return encode


def _careful_with(default: Callable[[Any], Any] | None) -> Callable[[Any], str]:
    return json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=default
    ).encode


encode = encoder_with(None)
_careful: Final = _careful_with(None)


def dumps(value: Any) -> str:
    """The canonical text of what may hold any JSON value, such as a caller's details; raises as an encoder does."""
    text = encode(value)
    if b"null" in text:
        # Which is also how the quick encoder writes a float that is not finite; the careful one refuses that.
        return _careful(value)
    return text.decode()
