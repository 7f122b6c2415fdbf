"""Imports flow one way: down the layers of the architecture, never up and never sideways."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "aumos_governance"

VOCABULARY = {"_version", "clock", "types", "errors", "money", "config", "frozen", "owner", "printing", "protocol"}
MANAGERS = {
    "actions",
    "acts",
    "approvals",
    "trust",
    "budget",
    "consent",
    "audit",
    "engine",
    "engine_protocol",
    "engine_registry",
    "authorization",
    "denials",
    "grants",
    "realm",
    "notebooks",
    "audit_chain",
}
CALLS = {"integrations", "decorators", "governed_work"}
MAY_IMPORT: dict[str, set[str]] = {
    "vocabulary": set(),
    "ledger": {"vocabulary"},
    "managers": {"vocabulary", "ledger"},
    "calls": {"vocabulary", "ledger", "managers"},
    "kernel": {"vocabulary", "ledger", "managers", "calls"},
    "server": {"vocabulary", "ledger", "managers", "calls"},
    # Beside the server, whose settings and filters are the command line's as well.
    "cli": {"vocabulary", "ledger", "managers", "calls", "server"},
}
# The vocabulary is shared by kernels whose environment holds nothing but IPython.
STANDARD_LIBRARY_ONLY = {"vocabulary", "kernel", "notebooks"}
KERNEL_LIBRARIES = {"IPython", "comm", "ipykernel", "jupyter_core", "traitlets"}


def layer_of(module: str) -> str:
    room = module.split(".", maxsplit=1)[0]
    if room in VOCABULARY:
        return "vocabulary"
    if room in MANAGERS:
        return "managers"
    if room in CALLS:
        return "calls"
    if room == "jupyter_extension":
        return "kernel"
    return room


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts == ("__init__",) or parts[0] == "labextension":
            continue
        found.append((".".join(part for part in parts if part != "__init__"), path))
    return found


def imports(module: str, path: Path) -> Iterator[tuple[bool, str]]:
    """Yield (inside the package, dotted name) for each import, those inside functions included."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                inside = alias.name.split(".")[0] == "aumos_governance"
                yield inside, alias.name.removeprefix("aumos_governance.") if inside else alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = [*base, *(node.module or "").split(".")] if node.level else (node.module or "").split(".")
            name = [part for part in name if part]
            inside = bool(node.level) or name[:1] == ["aumos_governance"]
            if name[:1] == ["aumos_governance"]:
                name = name[1:]
            if inside and not name:
                for alias in node.names:
                    yield True, alias.name
            else:
                yield inside, ".".join(name)


@pytest.mark.parametrize(("module", "path"), modules(), ids=[module for module, _ in modules()])
def test_a_module_imports_only_from_layers_below(module: str, path: Path) -> None:
    layer = layer_of(module)
    assert layer in MAY_IMPORT, f"{module} lies in no layer of the architecture"
    for inside, name in imports(module, path):
        if inside and layer_of(name) != layer:
            assert layer_of(name) in MAY_IMPORT[layer], f"{module} ({layer}) imports {name} ({layer_of(name)})"


@pytest.mark.parametrize(("module", "path"), modules(), ids=[module for module, _ in modules()])
def test_what_a_kernel_loads_needs_no_library_a_kernel_may_lack(module: str, path: Path) -> None:
    if not {layer_of(module), module.split(".", maxsplit=1)[0]} & STANDARD_LIBRARY_ONLY:
        return
    allowed = KERNEL_LIBRARIES if layer_of(module) == "kernel" else set()
    for inside, name in imports(module, path):
        root = name.split(".")[0]
        assert inside or root in sys.stdlib_module_names or root in allowed, f"{module} imports {name}"


def test_importing_the_package_loads_nothing_else() -> None:
    program = (
        "import sys; before = set(sys.modules); import aumos_governance;"
        "print(sorted(name for name in set(sys.modules) - before if name.startswith('aumos_governance.')))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['aumos_governance._version']"
