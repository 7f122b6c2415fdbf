"""No test module imports another one: shared helpers are in their own modules, so that each test module runs alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = [path for folder in ("tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(source: str) -> Iterator[str]:
    """Return the dotted names of all imports anywhere in a module; a relative import without its package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module or ''}.{alias.name}" for alias in node.names)


def of_tests(source: str) -> list[str]:
    """Return the imported names that have a module of tests in them; aiohttp's own `test_utils` is none."""
    ours = (name for name in imported(source) if not name.startswith("aiohttp."))
    return [name for name in ours if any(part.startswith("test_") for part in name.split("."))]


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
