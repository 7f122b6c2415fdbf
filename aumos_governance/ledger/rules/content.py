"""The digest of a request's content, and the JSON text of its response, which the ledger stores for repeated requests.

The ledger stores both under the request's idempotency key. If a client sends a request again, with the same key and the
same content, it gets the stored response. The digest, by which contents are compared, leaves out the fields that may
differ between the copies:

- ``expires_at``: a retry may wait longer;
- ``terms``: the server's configuration may have changed meanwhile;
- the id of the kernel's process, and the notebook: the client does not choose them, and the notebook may be renamed;
- ``waits``, ``waits_at_limit`` and ``waits_turn``: they change only the record, or when the request is decided;
- ``most`` and ``waiting`` of a bounded hold: the server sets them;
- ``usage`` and ``source`` of a settlement: they are only recorded.

A response is written as the name of its class and an array of the values of its fields; a dataclass within it is an
array as well. New fields are only appended to a class of responses, with a default, so that the shorter arrays of an
earlier version of this package, which are at most two days old, can still be read.
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

HOUR: Final = 3600 * MICROS
"""An hour in microseconds."""
KEEP_RESPONSES: Final = 48 * HOUR
"""How long the ledger keeps the digest and the response of a request, in microseconds.

The time is long enough for a client that repeats a request after a night and a day.
"""
MAX_CONTENT: Final = 64 * 1024
"""The most bytes that the JSON text of a request's content may have."""

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
    raise InvalidRequestError(f"A request cannot contain a {type(value).__name__}, which JSON does not have.")


_encode = encoder_with(_value)


def digest(request: Request[Any]) -> str:
    """Return the SHA-256, in hex, of a request's content, or ``""`` for a request without an idempotency key.

    The content is checked in any case: InvalidRequestError is raised if it is longer than `MAX_CONTENT` bytes, or has a
    value that cannot be stored.
    """
    kind = type(request)
    try:
        text = _encode((kind.__name__, request.key, _getter(kind)(request)))
        if (least := getattr(request, "least", None)) is not None:
            # Appended only if it is set, so that the digest of any other hold is the same as in earlier versions.
            text += _encode(least)
        if detail := getattr(request, "detail", None):
            # Only ``detail`` can contain floats, and `dumps` refuses floats that are not finite.
            dumps(detail)
    except UnicodeEncodeError:
        raise InvalidRequestError("Text with a lone surrogate is not valid Unicode and cannot be recorded.") from None
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"The request contains a value that cannot be recorded: {error}.") from None
    if len(text) > MAX_CONTENT:
        raise InvalidRequestError(
            f"The request has {len(text)} bytes of JSON and must not be longer than {MAX_CONTENT}; shorten its texts."
        )
    if b"\\u0000" in text:
        # Either a NUL, or a backslash in the text that is followed by "u0000".
        _check_values(request)
    return sha256(text).hexdigest() if request.key else ""


def _check_values(value: Any) -> None:
    """Raise InvalidRequestError if any text in a request, at any depth, contains a NUL character."""
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
        # attrgetter returns a tuple for two or more names, and every response type has at least two fields.
        getter = _arrayed[kind] = attrgetter(*(field.name for field in fields(kind)))
    return getter(value)


_encode_arrays = encoder_with(_arrays)


def encode(response: object) -> str:
    """Return the JSON text of a response, which `decode` reads: the name of its class, and the values of its fields."""
    return _encode_arrays((type(response).__name__, response)).decode()


def decode(text: str) -> Any:
    """Return the response that `encode` wrote as this JSON text, in this version of the package or an earlier one."""
    name, value = json.loads(text)
    kind = _kinds.get(name)
    if kind is None:
        _kinds.update((found.__name__, found) for found in _response_types(Request) if isinstance(found, type))
        kind = _kinds[name]
    return _read(value, kind)


# A request that was cancelled before it arrived has None as its stored response.
_kinds: dict[str, type[Any]] = {"NoneType": type(None)}
"""By name, the class of each response that a request may have. It is filled when a stored response is first read."""


def _response_types(kind: type[Any]) -> Iterator[Any]:
    """Yield the classes of the responses to all requests that are derived from ``kind``.

    They are the type arguments of its subclasses: a subclass of ``Request[Decision]`` yields ``Decision``.
    """
    for request in kind.__subclasses__():
        for base in getattr(request, "__orig_bases__", ()):
            for response in get_args(base):
                yield from get_args(response) or (response,)
        yield from _response_types(request)


def _read(value: Any, hint: Any) -> Any:
    """Return a value of the type ``hint``, such as a dataclass or an enum, made from its parsed JSON value."""
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
