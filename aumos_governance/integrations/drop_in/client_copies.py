"""Copies a client with everything that was set on it, bound to the copy.

The libraries' own ``copy()`` calls the constructor again: it loses what was set on the instance, and fails for a
subclass whose constructor takes other arguments. Here the attributes themselves are taken over. One that refers to the
original, such as a cached resource or a tracing wrapper around one of its methods, is made anew for the copy: otherwise
a call through it would be sent by the original, which is not governed.
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

__all__ = ["copy_client"]

_MOST_OBJECTS: Final = 5_000
"""Objects that are searched for the original behind one attribute, the nearest first."""
_LEAVES: Final = (str, bytes, int, float, type(None), type(sys))
_NOTHING: Final[tuple[Any, ...]] = ()
_LEAF: Final[list[Any]] = []
_REMADE: Final = (MethodType, FunctionType, partial, list, tuple, dict)
_GLOBAL_WRITES: Final = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"})
_GLOBAL_READS: Final = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})


def copy_client(client: Any, kind: type[Any], library: str) -> Any:
    """A new instance of ``kind``, a subclass of the client's class, with the attributes of ``client``.

    Raises ConfigurationError for a method that was replaced by an object which keeps the client out of sight.
    """
    copied = object.__new__(kind)
    _Transfer(client, copied, library).attributes(client, copied, "client")
    return copied


_Parts = Callable[[Any], Iterable[Any]]


class _Transfer:
    """What refers to the original, with what stands for it in the copy."""

    def __init__(self, original: Any, copied: Any, library: str) -> None:
        self._copied = copied
        self._library = library
        self._made: dict[int, Any] = {id(original): copied}
        self._direct = False

    def attributes(self, source: Any, target: Any, where: str) -> None:
        for name, value in _attributes(source):
            # What takes the place of a method is called in its stead; any other attribute is the user's own affair.
            called = callable(value) or hasattr(type(source), name)
            former, self._direct = self._direct, self._refers(value, _own_parts)
            object.__setattr__(target, name, self._value(value, f"{where}.{name}", called=called))
            self._direct = former

    def _value(self, value: Any, where: str, *, called: bool) -> Any:
        if not called and not self._is_remade(value):
            return value
        if not self._refers(value):
            return value
        made = self._made.get(id(value))
        return self._remade(value, where, called) if made is None else made

    def _remade(self, value: Any, where: str, called: bool) -> Any:
        kind = type(value)
        remakes: dict[type[Any], Callable[[Any, str], Any]] = {
            MethodType: self._method,
            FunctionType: self._function,
            type: self._class,
            dict: self._values,
        }
        if kind in remakes:
            return remakes[kind](value, where)
        if kind in (list, tuple):
            moved: list[Any] = [self._value(each, where, called=called) for each in value]
            return moved if kind is list else tuple(moved)
        if kind in (partial, property) or _is_proxy(kind):
            *parts, named = (
                [*_own_parts(value), {}] if kind is not partial else [value.func, *value.args, value.keywords]
            )
            return kind(*(self._value(each, where, called=True) for each in parts), **self._values(named, where))
        if self._is_of_library(value):
            new = self._made[id(value)] = object.__new__(kind)
            self.attributes(value, new, where)
            return new
        if self._direct and not self._keeps_method(value):
            # Such as a tracer that knows the client: the wrapper beside it calls the original method itself.
            return value
        raise _refusal(where, f"an object ({kind.__name__})")

    def _values(self, values: Mapping[str, Any], where: str) -> dict[str, Any]:
        return {name: self._value(value, where, called=True) for name, value in values.items()}

    def _method(self, method: MethodType, where: str) -> MethodType:
        owner = self._value(method.__self__, where, called=True)
        function = method.__func__
        if owner is self._copied:
            # Looked up anew: the copy's class governs what this one does not.
            function = getattr(type(owner), getattr(function, "__name__", ""), function)
        return MethodType(function, owner)

    def _function(self, function: FunctionType, where: str) -> FunctionType:
        reads, writes = _global_names(function)
        live = function.__globals__
        cells = [_CellOf(cell) for cell in function.__closure__ or ()]
        for cell in cells:
            cell.remade = cell.filled and self._refers(cell.content)
        shown = _Globals(live) if any(name in live and self._refers(live[name]) for name in reads) else live
        if shown is not live and writes:
            raise _refusal(where, f"a function that assigns to a global name ({min(writes)})")
        closure = tuple(cell.new if cell.remade else cell.cell for cell in cells)
        new = FunctionType(function.__code__, shown, function.__name__, None, closure)
        # Known before what it refers to is made, which may be itself.
        self._made[id(function)] = new
        for cell in cells:
            if cell.remade:
                cell.new.cell_contents = self._value(cell.content, where, called=True)
        if isinstance(shown, _Globals):
            for name in reads:
                if name in live and self._refers(live[name]):
                    shown.replace(name, self._value(live[name], where, called=True))
        new.__defaults__ = function.__defaults__ and tuple(
            self._value(each, where, called=True) for each in function.__defaults__
        )
        new.__kwdefaults__ = function.__kwdefaults__ and self._values(function.__kwdefaults__, where)
        new.__dict__.update(self._values(vars(function), where))
        for name in ("__doc__", "__qualname__", "__module__", "__annotations__"):
            setattr(new, name, getattr(function, name))
        return new

    def _class(self, made: type[Any], where: str) -> type[Any]:
        """A class whose methods refer to the original, such as a context manager around one of its streams."""
        members = {name: each for name, each in vars(made).items() if name not in ("__dict__", "__weakref__")}
        remade = {name for name, each in members.items() if self._refers(each)}
        new = type(made.__name__, made.__bases__, {name: each for name, each in members.items() if name not in remade})
        self._made[id(made)] = new
        for name in remade:
            setattr(new, name, self._value(members[name], f"{where}.{name}", called=True))
        return new

    # ---- what refers to the original

    def _is_remade(self, value: Any) -> bool:
        return type(value) in _REMADE or self._is_of_library(value)

    def _is_of_library(self, value: Any) -> bool:
        return hasattr(value, "__dict__") and any(
            base.__module__.partition(".")[0] == self._library for base in type(value).__mro__
        )

    def _refers(self, value: Any, parts: _Parts | None = None) -> bool:
        return any(id(each) in self._made for each in self._within(value, parts or _parts))

    def _keeps_method(self, value: Any) -> bool:
        return any(type(each) is MethodType and self._refers(each.__self__) for each in self._within(value, _parts))

    def _within(self, value: Any, parts: _Parts) -> Iterator[Any]:
        waiting, seen = deque([value]), set[int]()
        while waiting and len(seen) < _MOST_OBJECTS:
            each = waiting.popleft()
            if id(each) in seen or isinstance(each, _LEAVES):
                continue
            yield each
            seen.add(id(each))
            if id(each) not in self._made:
                waiting.extend(parts(each))


class _CellOf:
    """A variable that a function shares with what is around it."""

    def __init__(self, cell: CellType) -> None:
        self.cell = cell
        self.new = CellType()
        self.remade = False
        try:
            self.content: Any = cell.cell_contents
            self.filled = True
        except ValueError:
            self.filled = False


class _Globals(dict[str, Any]):
    """A module's global names as they are at any time, except those that stand for the original.

    Python reads global names through ``__getitem__`` of a dict's subclass, and those of `builtins` where it raises
    KeyError (the language's reference does not mention it; CPython 3.10 to 3.14 do).
    """

    def __init__(self, live: dict[str, Any]) -> None:
        super().__init__({name: live[name] for name in ("__builtins__", "__name__") if name in live})
        self._live = live
        self._replaced: dict[str, tuple[Any, Any]] = {}

    def replace(self, name: str, value: Any) -> None:
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
    if own is not _NOTHING:
        return own
    # Also of objects that are not written in Python, such as those of functools and wrapt.
    return [each for each in gc.get_referents(value) if not isinstance(each, type)]


def _is_proxy(kind: type[Any]) -> bool:
    """Whether it is wrapt's wrapper around a function, compiled or not."""
    return "FunctionWrapper" in {base.__name__ for base in kind.__mro__} and hasattr(kind, "__wrapped__")


def _own_parts(value: Any) -> Iterable[Any]:
    """What a function or a container refers to; of any other object, `_NOTHING`."""
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
        # Only what is defined within a function, or in a notebook, can have been given a client.
        return [*vars(value).values()] if "<locals>" in value.__qualname__ or value.__module__ == "__main__" else _LEAF
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [*value]
    if isinstance(value, dict):
        return [*value.values()]
    if _is_proxy(kind):
        return value.__wrapped__, value._self_wrapper
    return _NOTHING


def _parts_of_function(function: FunctionType) -> Iterator[Any]:
    for cell in map(_CellOf, function.__closure__ or ()):
        if cell.filled:
            yield cell.content
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from vars(function).values()
    for name in _global_names(function)[0]:
        found = function.__globals__.get(name)
        # A function of another module has names of its own, of which none was ever given this client.
        if type(found) is not FunctionType or found.__globals__ is function.__globals__:
            yield found


def _global_names(function: FunctionType) -> tuple[set[str], set[str]]:
    """The global names that a function, and what is defined in it, reads and writes."""
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
