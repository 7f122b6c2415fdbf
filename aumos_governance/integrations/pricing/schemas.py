"""Converts the Python objects that a request may contain to plain values, so that `sizes` can measure the request.

A caller may pass a class, for example as the response format or as a tool; the provider's library then sends the
class's JSON schema.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from importlib import import_module
from typing import Any, Final

UNKNOWN: Final = object()
"""The result of `plain` for a value that cannot be measured: an iterator, since reading it would consume it, or an
object of an unknown kind."""
_ATOMS: Final = (str, bytes, bytearray, bool, int, float, type(None))


def plain(value: object) -> object:
    """Return the value as a mapping, a sequence, text, bytes, a number or None; `UNKNOWN` if that is not possible.

    A class becomes its JSON schema, and an instance of a Pydantic model or dataclass a mapping of its fields. Only
    ``value`` itself is converted, not its members. Never raises.
    """
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, (*_ATOMS, Mapping)):
        return value
    try:
        return _plain(value)
    except Exception:  # noqa: BLE001 - a user's class may raise anything, and its size is unknown then
        return UNKNOWN


def _plain(value: Any) -> object:
    if isinstance(value, Sequence):
        return value
    if isinstance(value, AbstractSet):
        return list(value)
    if isinstance(value, Iterator):
        return UNKNOWN
    if isinstance(value, type) or typing.get_origin(value) is not None:
        return _schema(value)
    return _object(value)


def _object(value: Any) -> object:
    if type(value).__name__ in ("NotGiven", "Omit"):  # the providers' libraries send nothing for these
        return None
    for name in ("model_dump", "to_dict", "dict"):  # Pydantic 2, the providers' libraries, Pydantic 1
        dump = getattr(value, name, None)
        if callable(dump):
            return _mapping(dump(exclude_unset=True) if hasattr(value, "model_fields_set") else dump())
    if callable(getattr(value, "json_schema", None)):  # Pydantic's TypeAdapter
        return _mapping(value.json_schema())
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if callable(value) and hasattr(value, "__annotations__"):
        # A function that is given as a tool is sent as its name, its documentation and its parameters.
        return _annotated(value)
    if type(value).__module__ in ("datetime", "decimal", "uuid", "pathlib", "fractions"):
        return str(value)
    return UNKNOWN


def _schema(kind: Any) -> object:
    for name in ("model_json_schema", "schema"):  # Pydantic 2 and 1
        make = getattr(kind, name, None)
        if callable(make):
            return _mapping(make())
    try:
        return _mapping(import_module("pydantic").TypeAdapter(kind).json_schema())
    except Exception:  # noqa: BLE001 - Pydantic is missing, or cannot describe this class
        return _annotated(kind) if getattr(kind, "__annotations__", None) else UNKNOWN


def _annotated(value: Any) -> dict[str, Any]:
    hints = {name: str(hint) for name, hint in value.__annotations__.items()}
    return {"title": value.__name__, "description": value.__doc__ or "", "properties": hints}


def _mapping(value: object) -> object:
    return value if isinstance(value, Mapping) else UNKNOWN
