"""Answers as JSON text and back, so that a request that comes again gets an equal answer.

An answer is written as arrays: a dataclass as its type's name and its fields' values in order. Fields are
only ever appended to an answer type, with a default; so a shorter array, written by an earlier version of
this package within the last day or two, still reads.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

from ..contract.requests import Request
from .compact import encoder_with

__all__ = ["decode", "encode"]


_getters: dict[type[Any], Callable[[Any], Any]] = {}


def _arrays(value: Any) -> Any:
    kind = type(value)
    getter = _getters.get(kind)
    if getter is None:
        # attrgetter gives a tuple for two names and more; every answer has as many.
        getter = _getters[kind] = attrgetter(*(field.name for field in fields(kind)))
    return getter(value)


_encode = encoder_with(_arrays)


def encode(answer: object) -> str:
    """The answer as JSON text."""
    return _encode((type(answer).__name__, answer)).decode()


def decode(text: str) -> Any:
    """The answer that `encode` wrote."""
    name, value = json.loads(text)
    kind = _kinds.get(name)
    if kind is None:
        _kinds.update((found.__name__, found) for found in _answers(Request) if isinstance(found, type))
        kind = _kinds[name]
    return _read(value, kind)


# What was cancelled before it came has no answer.
_kinds: dict[str, type[Any]] = {"NoneType": type(None)}
"""By name: what the requests that there are answer with."""


def _answers(kind: type[Any]) -> Iterator[Any]:
    for request in kind.__subclasses__():
        for base in getattr(request, "__orig_bases__", ()):
            for answer in get_args(base):
                yield from get_args(answer) or (answer,)
        yield from _answers(request)


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
