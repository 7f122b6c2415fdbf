"""A module's change, put into the functions that are already there."""

from __future__ import annotations

import ast
import gc
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType

__all__ = ["swap"]


def swap(file: str, source: str, tree: ast.Module) -> bool:
    """Give the live functions of ``file`` that the change is in their new code.

    False, with nothing done, where the change is in what runs when the module is imported, or where no function lives
    that has it: then only a new process can show the change.
    """
    pairs = list(
        _changed(compile(source, file, "exec", dont_inherit=True), compile(tree, file, "exec", dont_inherit=True))
    )
    if any(not old.co_flags & inspect.CO_OPTIMIZED or old.co_freevars != new.co_freevars for old, new in pairs):
        return False
    functions = [one for one in gc.get_objects() if isinstance(one, FunctionType) and one.__code__.co_filename == file]
    live = {one.__code__ for one in functions}
    if not pairs or pairs[0][0] not in live:
        return False
    codes = dict(pairs)
    for function in functions:
        function.__code__ = codes.get(function.__code__, function.__code__)
    return True


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The codes that differ, the outer before the inner; a module or a class only for what is directly in it."""
    olds, news = _inner(old), _inner(new)
    if old.co_flags & inspect.CO_OPTIMIZED or len(olds) != len(news) or _own(old) != _own(new):
        yield old, new
    for one, other in zip(olds, news, strict=False):
        if one != other:
            yield from _changed(one, other)


def _own(code: CodeType) -> tuple[object, ...]:
    constants = tuple((type(one), one) for one in code.co_consts if not isinstance(one, CodeType))
    return code.co_code, constants, code.co_names, code.co_varnames


def _inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]
