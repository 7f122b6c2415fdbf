"""A decorator for frozen dataclasses: their objects are created as fast as objects of classes that are not frozen.

The ``__init__`` of a frozen dataclass is slow: it calls ``object.__setattr__`` for each field, which took about
0.1 microseconds a field in a measurement, and one decision creates half a dozen objects of up to twenty fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
_DRAFT: Final = "_draft_"
_FINAL: Final = "_final_"
_TURN: Final = "_turn_"


def quick(cls: type[_T]) -> type[_T]:
    """Replace the ``__init__`` of a ``@dataclass(frozen=True, slots=True)`` with an equivalent that is faster.

    While the new ``__init__`` runs, the object belongs to a twin class, which has the same slots and is not frozen. At
    the end the object's class is set to ``cls``, so no other code sees an object that is not frozen. Raises TypeError
    for a class with ``__post_init__``, which would see the twin.
    """
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} has a __post_init__, so its __init__ cannot be replaced.")
    members = fields(cls)  # type: ignore[arg-type]
    # CPython sets attributes on its fast path only if both methods, which share one slot of the type, are object's.
    own = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    twin = type(cls.__name__, cls.__bases__, {"__slots__": cls.__slots__, **own})  # type: ignore[attr-defined]
    names: dict[str, Any] = {_DRAFT: twin, _FINAL: cls, _TURN: object.__setattr__}
    made = _function(members, names)
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__module__ = cls.__module__
    made.__annotations__ = dict(cls.__init__.__annotations__)
    cls.__init__ = made  # type: ignore[method-assign]
    return cls


def _function(members: tuple[Field[Any], ...], names: dict[str, Any]) -> Callable[..., None]:
    plain = [_parameter(member, names) for member in members if member.init and not member.kw_only]
    named = [_parameter(member, names) for member in members if member.init and member.kw_only]
    lines = [
        f"def __init__({', '.join(['self', *plain, *(['*', *named] if named else [])])}):",
        f" {_TURN}(self, '__class__', {_DRAFT})",
        *(f" self.{member.name} = {_value(member)}" for member in members),
        f" self.__class__ = {_FINAL}",
    ]
    # Python's dataclasses use exec as well, since a function with these parameters cannot be made otherwise.
    exec("\n".join(lines), names)  # noqa: S102
    return names["__init__"]  # type: ignore[no-any-return]


def _parameter(member: Field[Any], names: dict[str, Any]) -> str:
    if member.default is not MISSING:
        names[f"_default_{member.name}"] = member.default
    elif member.default_factory is not MISSING:
        names[f"_default_{member.name}"] = MISSING
        names[f"_make_{member.name}"] = member.default_factory
        names["_missing_"] = MISSING
    else:
        return member.name
    return f"{member.name}=_default_{member.name}"


def _value(member: Field[Any]) -> str:
    if not member.init:
        raise TypeError(f"quick() does not support the field {member.name}, which has init=False.")
    if member.default_factory is MISSING:
        return member.name
    return f"_make_{member.name}() if {member.name} is _missing_ else {member.name}"
