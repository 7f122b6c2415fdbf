"""What several test modules use lies in a module of its own, so that each of them can be read, moved and run alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = [path for folder in ("tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(source: str) -> Iterator[str]:
    """The dotted names of all that is imported, wherever in the module; a relative one without what lies above it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def of_tests(source: str) -> list[str]:
    return [name for name in imported(source) if any(part.startswith("test_") for part in name.split("."))]


def test_no_module_imports_a_test_module() -> None:
    found = {str(path.relative_to(ROOT)): of_tests(path.read_text("utf-8")) for path in MODULES}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import tests.unit.test_money",
        "from tests.unit import test_money",
        "from tests.unit.test_money import TEXTS",
        "from . import test_money",
        "def f():\n    from .test_money import TEXTS",
    ],
)
def test_every_form_of_import_is_seen(line: str) -> None:
    assert len(of_tests(line)) == 1
