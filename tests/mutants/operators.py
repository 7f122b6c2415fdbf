"""What may be changed in a module, one thing at a time, so that its tests should notice.

An own small set. It is made for a seeded sample over listed modules, a deleted statement (which is how a missing check
looks), and changes in a copy of the package that child processes see too, while others import the sources.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

__all__ = ["Mutant", "mutants_of"]

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: str
    where: str
    what: str
    source: str
    number: int
    lines: range

    @property
    def name(self) -> str:
        """The same in every run and with every Python: it names no line."""
        return f"{self.module} | {self.where} | {self.what}"

    @property
    def whole(self) -> str:
        """All changes of its function, in equivalents.txt."""
        return f"{self.module} | {self.where} | *"

    @property
    def tree(self) -> ast.Module:
        """The module with the change; what is unchanged keeps its line numbers."""
        tree = ast.parse(self.source)
        _, _, _, apply = next(islice(_changes(tree), self.number, None))
        apply()
        return ast.fix_missing_locations(tree)

    @property
    def text(self) -> str:
        """The module's whole text with the change."""
        return ast.unparse(self.tree)


def mutants_of(module: str, source: str) -> list[Mutant]:
    """All of a module's, in the order of its text."""
    found: list[Mutant] = []
    seen: Counter[tuple[str, str]] = Counter()
    for number, (where, what, lines, _) in enumerate(_changes(ast.parse(source))):
        seen[where, what] += 1
        count = seen[where, what]
        found.append(Mutant(module, where, what if count == 1 else f"{what} #{count}", source, number, lines))
    return found


def _changes(tree: ast.Module) -> Iterator[tuple[str, str, range, Callable[[], None]]]:
    for where, lines, owner, field, index, node in _nodes(tree):
        for new in _instead(node):
            change = f"{_short(node)} -> {_short(new)}"
            yield where, change, lines, _placing(owner, field, index, ast.copy_location(new, node))


def _placing(owner: ast.AST, field: str, index: int | None, node: ast.AST) -> Callable[[], None]:
    def place() -> None:
        if index is None:
            setattr(owner, field, node)
        else:
            getattr(owner, field)[index] = node

    return place


def _nodes(
    owner: ast.AST, where: str = "", lines: range = range(0)
) -> Iterator[tuple[str, range, ast.AST, str, int | None, ast.AST]]:
    """Every node that runs, with the function that it is in, its statement's lines, and where it hangs."""
    for field, value in ast.iter_fields(owner):
        if field in _SKIPPED_FIELDS:
            continue
        several = value if isinstance(value, list) else [value]
        for index, node in enumerate(several):
            if not isinstance(node, ast.AST) or _is_skipped(node):
                continue
            here = _lines(node) or lines
            yield where, here, owner, field, index if isinstance(value, list) else None, node
            named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            inner = f"{where}.{node.name}".lstrip(".") if named else where  # type: ignore[attr-defined]
            yield from _nodes(node, inner, here)


def _lines(node: ast.AST) -> range | None:
    """Of a statement, without those in its body."""
    if not isinstance(node, ast.stmt | ast.ExceptHandler):
        return None
    inner = getattr(node, "body", None)
    last = max(node.lineno, inner[0].lineno - 1) if inner else node.end_lineno or node.lineno
    return range(node.lineno, last + 1)


_LOGGED = re.compile(r"(.+\.)?_?log(ger)?\.\w+")

# Types, decorators and the parts of sentences: mypy sees the first, and no behaviour depends on the last.
_SKIPPED_FIELDS = frozenset({"annotation", "returns", "decorator_list", "bases", "type_params", "type_comment"})


def _is_skipped(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = ast.unparse(node.value.func)
        return called.startswith("warnings.warn") or _LOGGED.fullmatch(called) is not None
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"__all__", "__slots__"}


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.ExceptHandler):
        if not isinstance(node.body[0], ast.Raise):
            yield ast.ExceptHandler(node.type, node.name, [ast.Raise()])
    elif isinstance(node, ast.expr):
        yield from _expressions(node)


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    if isinstance(node, ast.If):
        for test in (False, True):
            yield ast.If(ast.Constant(test), node.body, node.orelse)
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Expr | ast.Raise | ast.AugAssign | ast.Continue | ast.Break | ast.Assert | ast.Delete):
        # What mypy alone needs is no behaviour.
        if not isinstance(node, ast.Assert) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield)):
            yield ast.Pass()
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript):
        yield ast.Pass()


def _expressions(node: ast.expr) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield ast.Compare(node.left, [_COMPARISONS[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        for value in node.values[1:]:
            kept = [each for each in node.values if each is not value]
            yield ast.BoolOp(node.op, kept) if len(kept) > 1 else kept[0]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        yield ast.Call(ast.Name(_NAMES[node.func.id], ast.Load()), node.args, node.keywords)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield ast.Constant(node.value + 1)


def _short(node: ast.AST) -> str:
    """Its first line."""
    if isinstance(node, ast.ExceptHandler):
        return f"except {ast.unparse(node.type) if node.type else ''}: {_short(node.body[0])}"
    return ast.unparse(ast.fix_missing_locations(node)).splitlines()[0]
