"""A request's content, as a digest, and its response, as text: both are stored under the request's key.

Two requests with one key must have the same content. Left out of the digest are ``key`` (it names the request),
``expires_at`` (a retry may wait longer), ``terms`` (the server's configuration may have changed meanwhile), the
kernel's incarnation and the notebook, which the client does not choose and which may have been renamed between a
request and its retry; ``waits``, ``waits_at_limit`` and ``waits_turn``, which change the record, or when it is decided;
of a bounded hold ``most`` and ``waiting``, which are the server's own; and the ``usage`` of a settlement, which only
the record has.

A response is written as arrays: a dataclass as its type's name and its fields' values in order. Fields are
only ever appended to a response type, with a default; so a shorter array, written by an earlier version of
this package within the last day or two, still reads.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from ...clock import MICROS
from ...errors import InvalidRequestError
from ..contract.requests import Request
from .chain import check_text, dumps, encoder_with

__all__ = ["HOUR", "KEEP_RESPONSES", "decode", "digest", "encode"]

HOUR: Final = 3600 * MICROS
"""Microseconds."""
KEEP_RESPONSES: Final = 48 * HOUR
"""How long both are kept, in microseconds: twice the promised day, so that a retry after a night and a day still finds
its response."""
MAX_CONTENT: Final = 64 * 1024
"""The most bytes of UTF-8 that a request may amount to."""

_OF_HOLD: Final = ("least", "most", "waiting", "waits_turn")
_LEFT_OUT: Final = frozenset(
    {"key", "origin", "expires_at", "terms", "notebook", "waits", "waits_at_limit", "usage", "source", *_OF_HOLD}
)
_ORIGIN: Final = ("origin.actor", "origin.person", "origin.cell_id", "origin.execution_count")


_getters: dict[type[Any], Callable[[Any], Any]] = {}


def _getter(kind: type[Any]) -> Callable[[Any], Any]:
    getter = _getters.get(kind)
    if getter is None:
        names = [field.name for field in fields(kind) if field.name not in _LEFT_OUT]
        getter = _getters[kind] = attrgetter(*_ORIGIN, *names)
    return getter


def _value(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    raise InvalidRequestError(f"A request cannot hold a {type(value).__name__}.")


_encode = encoder_with(_value)


def digest(request: Request[Any]) -> str:
    """SHA-256, in hex, of the request's content; empty for a request without a key, which nothing is compared with.

    Raises InvalidRequestError when it is too long or holds text that no database can store.
    """
    kind = type(request)
    try:
        text = _encode((kind.__name__, request.key, _getter(kind)(request)))
        if (least := getattr(request, "least", None)) is not None:
            # So the digest of any other hold is what earlier versions made of it.
            text += _encode(least)
        if detail := getattr(request, "detail", None):
            # Of all of a request, only this can hold a float, and not every float has a JSON form.
            dumps(detail)
    except UnicodeEncodeError:
        raise InvalidRequestError("Text that is not valid Unicode cannot be recorded.") from None
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"The request holds a value that cannot be recorded: {error}.") from None
    if len(text) > MAX_CONTENT:
        raise InvalidRequestError(f"The request is longer than {MAX_CONTENT} bytes.")
    if b"\\u0000" in text:
        _check_values(request)
    return sha256(text).hexdigest() if request.key else ""


def _check_values(value: Any) -> None:
    # Reached only when the JSON text holds \u0000, which a backslash in the text can look like too.
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_values(name)
            _check_values(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _check_values(member)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _check_values(getattr(value, field.name))


# ---- responses

_arrayed: dict[type[Any], Callable[[Any], Any]] = {}


def _arrays(value: Any) -> Any:
    kind = type(value)
    getter = _arrayed.get(kind)
    if getter is None:
        # attrgetter gives a tuple for two names and more; every response type has as many.
        getter = _arrayed[kind] = attrgetter(*(field.name for field in fields(kind)))
    return getter(value)


_encode_arrays = encoder_with(_arrays)


def encode(response: object) -> str:
    """The response as JSON text."""
    return _encode_arrays((type(response).__name__, response)).decode()


def decode(text: str) -> Any:
    """The response that `encode` wrote."""
    name, value = json.loads(text)
    kind = _kinds.get(name)
    if kind is None:
        _kinds.update((found.__name__, found) for found in _response_types(Request) if isinstance(found, type))
        kind = _kinds[name]
    return _read(value, kind)


# What was cancelled before it came has no response.
_kinds: dict[str, type[Any]] = {"NoneType": type(None)}
"""By name: the types of the responses to all requests."""


def _response_types(kind: type[Any]) -> Iterator[Any]:
    for request in kind.__subclasses__():
        for base in getattr(request, "__orig_bases__", ()):
            for response in get_args(base):
                yield from get_args(response) or (response,)
        yield from _response_types(request)


def _read(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        (member,) = [member for member in get_args(hint) if member is not type(None)]
        return _read(value, member)
    if origin is tuple:
        return tuple(_read(member, get_args(hint)[0]) for member in value)
    if isinstance(hint, type) and is_dataclass(hint):
        return hint(*(_read(member, kind) for member, kind in zip(value, _hints(hint), strict=False)))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value


def _hints(kind: Any) -> tuple[Any, ...]:
    hints = get_type_hints(kind)
    return tuple(hints[field.name] for field in fields(kind))
