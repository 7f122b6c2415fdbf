"""Copies a client with all attributes that were set on it; the copied attributes refer to the copy.

The libraries' own ``copy()`` calls the constructor again: it loses the attributes that were set on the instance, and
fails for a subclass whose constructor takes other arguments. Here the attributes themselves are copied. An attribute
that refers to the original client, such as a cached resource or a tracing wrapper around a method, is rebuilt to refer
to the copy. Otherwise the original client would send the calls through this attribute, and they would not be governed.
In this module, the parts of an object are the objects that it refers to directly.
"""

from __future__ import annotations

import dis
import gc
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any, Final

from ...errors import ConfigurationError

_MOST_OBJECTS: Final = 5_000
"""The most objects behind one attribute that are searched for the original client, the nearest first."""
_LEAVES: Final = (str, bytes, int, float, type(None), type(sys))
"""Types of objects that cannot refer to a client."""
_UNKNOWN_PARTS: Final[tuple[Any, ...]] = ()
"""The result of `_own_parts` for an object of an unknown type."""
_NO_PARTS: Final[list[Any]] = []
"""The result of `_own_parts` for a class whose attributes need not be searched."""
_REBUILT: Final = (MethodType, FunctionType, partial, list, tuple, dict)
"""Types whose objects can be made anew with references to the copy in place of the original client."""
_GLOBAL_WRITES: Final = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"})
_GLOBAL_READS: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})


def copy_client(client: Any, kind: type[Any], library: str) -> Any:
    """Return a new instance of ``kind``, a subclass of the client's class, with the attributes of ``client``.

    ``library`` is the package of the client's library. Raises ConfigurationError if a method was replaced by an object
    that refers to the client and cannot be rebuilt.
    """
    copied = object.__new__(kind)
    _Transfer(client, copied, library).attributes(client, copied, "client")
    return copied


_Parts = Callable[[Any], Iterable[Any]]


class _Transfer:
    """The copying of one client: it replaces each object that refers to the original by one that refers to the copy."""

    def __init__(self, original: Any, copied: Any, library: str) -> None:
        self._copied = copied
        self._library = library
        self._replacements: dict[int, Any] = {id(original): copied}
        """The new object for each object that referred to the original and was replaced, by the `id` of the old one."""
        self._direct = False
        """Whether the attribute that is being copied refers to the original through functions and containers alone."""

    def attributes(self, source: Any, target: Any, where: str) -> None:
        """Set the attributes of ``source`` on ``target``, replaced if they refer to the original.

        ``where`` is the name of ``source`` in error messages, such as ``client.chat``.
        """
        for name, value in _attributes(source):
            # A replaced method may call the original, so it must be rebuilt. Other attributes may keep the original.
            called = callable(value) or hasattr(type(source), name)
            former, self._direct = self._direct, self._refers(value, _own_parts)
            object.__setattr__(target, name, self._value(value, f"{where}.{name}", called=called))
            self._direct = former

    def _value(self, value: Any, where: str, *, called: bool) -> Any:
        """Return ``value``, or its replacement if it refers to the original.

        ``called`` is whether the value may be called in place of a method. If so, ConfigurationError is raised for an
        object that refers to the original and cannot be rebuilt; otherwise that object is kept.
        """
        if not called and not self._can_be_rebuilt(value):
            return value
        if not self._refers(value):
            return value
        replacement = self._replacements.get(id(value))
        return self._rebuilt(value, where, called) if replacement is None else replacement

    def _rebuilt(self, value: Any, where: str, called: bool) -> Any:
        kind = type(value)
        rebuilders: dict[type[Any], Callable[[Any, str], Any]] = {
            MethodType: self._method,
            FunctionType: self._function,
            type: self._class,
            dict: self._values,
        }
        if kind in rebuilders:
            return rebuilders[kind](value, where)
        if kind in (list, tuple):
            members: list[Any] = [self._value(each, where, called=called) for each in value]
            return members if kind is list else tuple(members)
        if kind in (partial, property) or _is_proxy(kind):
            *parts, named = (
                [*_own_parts(value), {}] if kind is not partial else [value.func, *value.args, value.keywords]
            )
            return kind(*(self._value(each, where, called=True) for each in parts), **self._values(named, where))
        if self._is_of_library(value):
            new = self._replacements[id(value)] = object.__new__(kind)
            self.attributes(value, new, where)
            return new
        if self._direct and not self._keeps_method(value):
            # For example a tracer that knows the client; the wrapper around it is rebuilt and calls the method itself.
            return value
        raise _refusal(where, f"an object ({kind.__name__})")

    def _values(self, values: Mapping[str, Any], where: str) -> dict[str, Any]:
        return {name: self._value(value, where, called=True) for name, value in values.items()}

    def _method(self, method: MethodType, where: str) -> MethodType:
        owner = self._value(method.__self__, where, called=True)
        function = method.__func__
        if owner is self._copied:
            # The function is looked up in the copy's class, whose methods are governed.
            function = getattr(type(owner), getattr(function, "__name__", ""), function)
        return MethodType(function, owner)

    def _function(self, function: FunctionType, where: str) -> FunctionType:
        reads, writes = _global_names(function)
        live = function.__globals__
        cells = [_ClosureCell(cell) for cell in function.__closure__ or ()]
        for cell in cells:
            cell.rebuilt = cell.filled and self._refers(cell.content)
        names = _Globals(live) if any(name in live and self._refers(live[name]) for name in reads) else live
        if names is not live and writes:
            raise _refusal(where, f"a function that assigns to a global name ({min(writes)})")
        closure = tuple(cell.new if cell.rebuilt else cell.cell for cell in cells)
        new = FunctionType(function.__code__, names, function.__name__, None, closure)
        # The replacement is stored before the function's variables are rebuilt, since they may refer to the function.
        self._replacements[id(function)] = new
        for cell in cells:
            if cell.rebuilt:
                cell.new.cell_contents = self._value(cell.content, where, called=True)
        if isinstance(names, _Globals):
            for name in reads:
                if name in live and self._refers(live[name]):
                    names.replace(name, self._value(live[name], where, called=True))
        new.__defaults__ = function.__defaults__ and tuple(
            self._value(each, where, called=True) for each in function.__defaults__
        )
        new.__kwdefaults__ = function.__kwdefaults__ and self._values(function.__kwdefaults__, where)
        new.__dict__.update(self._values(vars(function), where))
        for name in ("__doc__", "__qualname__", "__module__", "__annotations__"):
            setattr(new, name, getattr(function, name))
        return new

    def _class(self, cls: type[Any], where: str) -> type[Any]:
        """Return a new class like ``cls``, with methods that refer to the copy of the client in place of the original.

        An example is a context manager around one of the original's streams. ``where`` names the class in errors.
        """
        members = {name: each for name, each in vars(cls).items() if name not in ("__dict__", "__weakref__")}
        rebuilt = {name for name, each in members.items() if self._refers(each)}
        new = type(cls.__name__, cls.__bases__, {name: each for name, each in members.items() if name not in rebuilt})
        self._replacements[id(cls)] = new
        for name in rebuilt:
            setattr(new, name, self._value(members[name], f"{where}.{name}", called=True))
        return new

    # ---- references to the original

    def _can_be_rebuilt(self, value: Any) -> bool:
        return type(value) in _REBUILT or self._is_of_library(value)

    def _is_of_library(self, value: Any) -> bool:
        return hasattr(value, "__dict__") and any(
            base.__module__.partition(".")[0] == self._library for base in type(value).__mro__
        )

    def _refers(self, value: Any, parts: _Parts | None = None) -> bool:
        """Whether ``value`` is or refers to the original, or an object that was replaced already."""
        return any(id(each) in self._replacements for each in self._within(value, parts or _parts))

    def _keeps_method(self, value: Any) -> bool:
        """Whether ``value`` refers to a bound method of the original, through which it could send requests."""
        return any(type(each) is MethodType and self._refers(each.__self__) for each in self._within(value, _parts))

    def _within(self, value: Any, parts: _Parts) -> Iterator[Any]:
        """Yield ``value`` and the objects that it refers to, nearest first; ``parts`` returns an object's own parts."""
        waiting, seen = deque([value]), set[int]()
        while waiting and len(seen) < _MOST_OBJECTS:
            each = waiting.popleft()
            if id(each) in seen or isinstance(each, _LEAVES):
                continue
            yield each
            seen.add(id(each))
            if id(each) not in self._replacements:
                waiting.extend(parts(each))


class _ClosureCell:
    """A cell of a function's closure, and the new cell for the rebuilt function.

    The new cell is used if the content of the cell refers to the original client.
    """

    def __init__(self, cell: CellType) -> None:
        self.cell = cell
        self.new = CellType()
        self.rebuilt = False
        try:
            self.content: Any = cell.cell_contents
            self.filled = True
        except ValueError:
            self.filled = False


class _Globals(dict[str, Any]):
    """A live view of a module's global names; `replace` gives names that refer to the original client other values.

    If a function's globals are an instance of a dict's subclass, Python reads its global names through ``__getitem__``,
    and reads a name in `builtins` if that raises KeyError. CPython 3.10 to 3.14 do this; the language reference does
    not mention it.
    """

    def __init__(self, live: dict[str, Any]) -> None:
        super().__init__({name: live[name] for name in ("__builtins__", "__name__") if name in live})
        self._live = live
        self._replaced: dict[str, tuple[Any, Any]] = {}

    def replace(self, name: str, value: Any) -> None:
        """Replace the value of a name in this view by ``value``, until the module assigns to the name."""
        self._replaced[name] = self._live[name], value

    def __getitem__(self, name: str) -> Any:
        value = self._live[name]
        if name in self._replaced and self._replaced[name][0] is value:
            return self._replaced[name][1]
        return value


def _attributes(source: Any) -> Iterator[tuple[str, Any]]:
    yield from vars(source).items()
    for kind in type(source).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(source, name):
                yield name, getattr(source, name)


def _parts(value: Any) -> Iterable[Any]:
    own = _own_parts(value)
    if own is not _UNKNOWN_PARTS:
        return own
    # The garbage collector also knows the parts of objects that are written in C, such as those of functools and wrapt.
    return [each for each in gc.get_referents(value) if not isinstance(each, type)]


def _is_proxy(kind: type[Any]) -> bool:
    """Whether a class is wrapt's wrapper of functions, in its C or its Python version."""
    return "FunctionWrapper" in {base.__name__ for base in kind.__mro__} and hasattr(kind, "__wrapped__")


def _own_parts(value: Any) -> Iterable[Any]:
    """Return the objects that a function or a container refers to; `_UNKNOWN_PARTS` for any other object."""
    kind = type(value)
    if kind is MethodType:
        return value.__self__, value.__func__
    if kind is FunctionType:
        return _parts_of_function(value)
    if kind is partial:
        return value.func, *value.args, *value.keywords.values()
    if kind is property:
        return value.fget, value.fset, value.fdel
    if isinstance(value, type):
        # Only a class that is defined in a function or in a notebook can refer to a client.
        is_local = "<locals>" in value.__qualname__ or value.__module__ == "__main__"
        return [*vars(value).values()] if is_local else _NO_PARTS
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [*value]
    if isinstance(value, dict):
        return [*value.values()]
    if _is_proxy(kind):
        return value.__wrapped__, value._self_wrapper
    return _UNKNOWN_PARTS


def _parts_of_function(function: FunctionType) -> Iterator[Any]:
    for cell in map(_ClosureCell, function.__closure__ or ()):
        if cell.filled:
            yield cell.content
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from vars(function).values()
    for name in _global_names(function)[0]:
        found = function.__globals__.get(name)
        # A function of another module has other global names; none of them refers to this client.
        if type(found) is not FunctionType or found.__globals__ is function.__globals__:
            yield found


def _global_names(function: FunctionType) -> tuple[set[str], set[str]]:
    """Return the global names that a function and its inner functions read, and those that they assign or delete."""
    reads, writes = set[str](), set[str]()
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [each for each in code.co_consts if isinstance(each, CodeType)]
        for step in dis.get_instructions(code):
            if step.opname in _GLOBAL_READS:
                reads.add(step.argval)
            elif step.opname in _GLOBAL_WRITES:
                writes.add(step.argval)
    return reads, writes


def _refusal(where: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where} was replaced by {what} that keeps the client, so govern() cannot take it over: govern the client"
        " first, then wrap what govern() returns."
    )
