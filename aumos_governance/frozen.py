"""Frozen dataclasses that are made as fast as others.

The ``__init__`` of a frozen dataclass is slow: it sets each field through ``object.__setattr__``, about
0.1 microseconds a field on the machine this was written on, and a decision makes half a dozen objects of up to
twenty fields.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, Final, TypeVar

__all__ = ["quick"]

_T = TypeVar("_T")
_DRAFT: Final = "_draft_"
_FINAL: Final = "_final_"
_TURN: Final = "_turn_"


def quick(cls: type[_T]) -> type[_T]:
    """Give a class made by ``@dataclass(frozen=True, slots=True)`` an equal ``__init__`` that is faster.

    During ``__init__`` the object is of a twin class that is not frozen, with the same slots. No other code can see it
    then, and from the end of ``__init__`` on it is frozen. Raises TypeError for a class with a
    ``__post_init__``, which would see the twin.
    """
    if hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} has a __post_init__, so its __init__ cannot be replaced.")
    members = fields(cls)  # type: ignore[arg-type]
    # With both of object's own an assignment takes the interpreter's short way: they share one slot of the type.
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
    # As dataclasses does it: there is no other way to have a signature.
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
        raise TypeError(f"The field {member.name} is not set by __init__, which is not provided for.")
    if member.default_factory is MISSING:
        return member.name
    return f"_make_{member.name}() if {member.name} is _missing_ else {member.name}"
