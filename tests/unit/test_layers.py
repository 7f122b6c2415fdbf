"""Modules import only from rooms below their own in `docs/architecture.md`, and never each other in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "aumos_governance"

DOORS = "doors"
VOCABULARY = "vocabulary"
# The rooms from the top down. Rooms in one line are neighbours, which do not import each other.
ROOMS_BY_LEVEL: tuple[tuple[str, ...], ...] = (
    ("cli",),
    (DOORS,),
    ("kernel", "server"),
    ("gateway",),
    ("integrations",),
    ("engine",),
    ("service",),
    ("authority",),
    ("trust", "budget", "consent", "audit"),
    ("wire", "realm"),
    ("ledger",),
    (VOCABULARY,),
)
# The folders within each room, in the same order; "." is the room's own modules. Other rooms have no folders.
WITHIN: dict[str, tuple[tuple[str, ...], ...]] = {
    "kernel": (("magics",), ("governed",), ("engine",), ("requests", "text"), ("transports",)),
    "server": ((".",), ("gateway",), ("rest", "kernels"), ("live",), ("identity",), ("settings",)),
    "gateway": (("configuration",), (".",), ("dialects",)),
    "integrations": ((".",), ("frameworks", "drop_in"), ("openai", "anthropic", "google"), ("guarding",), ("pricing",)),
    "ledger": (
        (".",),
        ("migrations",),
        ("sql", "memory"),
        ("commit", "proof"),
        ("operations",),
        ("transaction",),
        ("rules",),
        ("contract",),
    ),
    "ledger.migrations": ((".",), ("versions",)),
    # The modules that the folders of the operations share are below these folders.
    "ledger.operations": (("charges", "sessions"), ("approvals", "agents", "budgets", "keys"), (".",)),
    # The modules for one database import those for every database.
    "ledger.sql": (("postgres", "sqlite"), (".",)),
}
LOOSE = {
    **dict.fromkeys(("jupyter_extension", "decorators", "audit_chain", "startup_hook"), DOORS),
    **dict.fromkeys(
        ("_version", "clock", "config", "errors", "frozen", "money", "owner", "printing", "steps", "types"), VOCABULARY
    ),
    "engine": "engine",
    "realm": "realm",
}
"""The rooms of the modules in the package's own folder."""
MOST_FILES = 20
# Kernels run in separate environments, which may have no other packages.
KERNEL_LIBRARIES = {"IPython", "comm"}
EMBEDDED = "kernel.transports.embedded"
"""Modules that are imported only where no server governs the kernel."""
STANDARD_LIBRARY_ONLY = {VOCABULARY, "wire", "service"}


@cache
def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] != "labextension" and parts != ("__init__",):
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


@cache
def imports(module: str) -> tuple[tuple[str, bool, bool], ...]:
    """Return (name, inside the package, at import time) for each import; those in functions are not at import time."""
    return tuple(_imports(module, modules()[module]))


def _imports(module: str, path: Path) -> Iterator[tuple[str, bool, bool]]:
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    tree = ast.parse(path.read_text("utf-8"))
    later = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or _is_for_types(node)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        at_once = id(node) not in later
        if isinstance(node, ast.Import):
            for alias in node.names:
                root, _, rest = alias.name.partition(".")
                inside = root == "aumos_governance"
                yield (rest if inside else alias.name), inside, at_once
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = [*base, *(node.module.split(".") if node.module else [])]
            if not node.level:
                if source[0] != "aumos_governance":
                    yield ".".join(source), False, at_once
                    continue
                source = source[1:]
            for alias in node.names:
                whole = ".".join([*source, alias.name])
                yield (whole if whole in modules() else ".".join(source)), True, at_once


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def test_what_is_read_here_are_the_imports() -> None:
    assert ("printing", True, True) in imports("kernel.text.action_text")
    assert (EMBEDDED, True, False) in imports("kernel.requests.connection")
    assert ("IPython.core.magic", False, True) in imports("kernel.magics.magics")


# ---- between the rooms


def room_of(module: str) -> str:
    first = module.partition(".")[0]
    return LOOSE.get(first, first)


LEVELS = {room: level for level, rooms in enumerate(ROOMS_BY_LEVEL) for room in rooms}


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_from_rooms_below(module: str) -> None:
    room = room_of(module)
    assert room in LEVELS, f"{module} lies in no room of the architecture"
    for name, inside, _ in imports(module):
        other = room_of(name)
        if inside and name and other != room:
            assert LEVELS[other] > LEVELS[room], f"{module} ({room}) imports {name} ({other}), which is not below it"
            assert {room, other} != {"kernel", "server"}


def test_only_the_doors_and_known_rooms_lie_in_the_package_itself() -> None:
    folders = {module for module, path in modules().items() if path.name == "__init__.py" and "." not in module}
    assert {module for module in modules() if "." not in module} - folders == set(LOOSE)


# ---- within a room


def _places() -> Iterator[tuple[str, str]]:
    for module in modules():
        parts = module.split(".")
        for depth in range(1, len(parts)):
            room = ".".join(parts[:depth])
            if room in WITHIN:
                yield room, module


def _folder(room: str, module: str) -> str | None:
    """Return the folder of a room that a module is in; "." for the room itself, None for another room's module."""
    if module == room or not module.startswith(f"{room}."):
        return None
    rest = module.removeprefix(f"{room}.")
    first = rest.partition(".")[0]
    return first if modules().get(f"{room}.{first}", Path()).name == "__init__.py" else "."


@pytest.mark.parametrize(("room", "module"), list(_places()))
def test_a_module_imports_only_from_folders_below_in_its_room(room: str, module: str) -> None:
    floors = {folder: floor for floor, folders in enumerate(WITHIN[room]) for folder in folders}
    own = _folder(room, module)
    assert own in floors, f"{module}: {own} is no known folder of {room}"
    for name, inside, _ in imports(module):
        other = _folder(room, name) if inside else None
        if other is not None and other != own:
            assert floors[other] > floors[own], f"{module} imports {name}, which is not below it in {room}"


def test_every_folder_in_a_room_has_its_place() -> None:
    for module, path in modules().items():
        if path.name == "__init__.py" and "." in module:
            room, _, folder = module.rpartition(".")
            assert folder in {name for names in WITHIN.get(room, ()) for name in names}, f"{module} has no place"


def test_no_modules_import_each_other_in_a_circle() -> None:
    below = {module: {name for name, inside, _ in imports(module) if inside} & set(modules()) for module in modules()}
    # Modules that import no remaining module are removed, until only a circle remains.
    left = dict(below)
    while free := [module for module, names in left.items() if not (names - {module}) & set(left)]:
        for module in free:
            del left[module]
    in_circles = {module for module in left if module in _reached(module, below)}
    assert in_circles == set()


def _reached(start: str, below: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    todo = [name for name in below[start] if name != start]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += below[name] - {name}
    return reached


@pytest.mark.parametrize("top", ["aumos_governance", "tests"])
def test_no_folder_holds_more_files_than_one_look_takes_in(top: str) -> None:
    count = Counter(path.parent for path in (ROOT / top).rglob("*.py") if "labextension" not in path.parts)
    assert {str(folder.relative_to(ROOT)): files for folder, files in count.items() if files > MOST_FILES} == {}


# ---- what a kernel loads


def _loaded_by_a_governed_kernel() -> set[str]:
    """Return all modules that the magics import where a server governs the kernel, at once or later."""
    loaded: set[str] = set()
    todo = [name for name in modules() if name.partition(".")[0] in ("jupyter_extension", "kernel")]
    while todo:
        module = todo.pop()
        if module in loaded or module == EMBEDDED:
            continue
        loaded.add(module)
        parts = module.split(".")
        todo += [".".join(parts[:depth]) for depth in range(1, len(parts))]
        own = room_of(module) in ("kernel", DOORS)
        todo += [name for name, inside, at_once in imports(module) if inside and name in modules() and (own or at_once)]
    return loaded


def test_what_a_governed_kernel_loads_is_ipython_and_the_standard_library() -> None:
    for module in sorted(_loaded_by_a_governed_kernel()):
        own = room_of(module) in ("kernel", DOORS)
        for name, inside, at_once in imports(module):
            root = name.partition(".")[0]
            if inside or root in sys.stdlib_module_names or not (own or at_once):
                continue
            assert own, f"{module}, which a governed kernel loads, imports {name}"
            assert root in KERNEL_LIBRARIES, f"{module} imports {name}, which a kernel may lack"


def test_a_governed_kernel_loads_neither_a_database_nor_the_service() -> None:
    rooms = {".".join(module.split(".")[:2]) for module in _loaded_by_a_governed_kernel()}
    assert rooms.isdisjoint({"service", "server", "cli", "ledger.sql", "ledger.memory", "ledger.operations"})
    assert {"kernel.magics", "kernel.engine", "wire.protocol"} <= rooms


@pytest.mark.parametrize("module", [name for name in modules() if room_of(name) in STANDARD_LIBRARY_ONLY])
def test_what_kernel_and_server_share_needs_the_standard_library_only(module: str) -> None:
    for name, inside, _ in imports(module):
        assert inside or name.partition(".")[0] in sys.stdlib_module_names, f"{module} imports {name}"


def test_a_governed_kernels_modules_load_without_any_other_library() -> None:
    names = sorted(f"aumos_governance.{name}" for name in _loaded_by_a_governed_kernel())
    program = (
        "import sys, importlib, importlib.abc\n"
        "import IPython, comm, IPython.core.interactiveshell, IPython.core.magic\n"
        "class Refuse(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        root = name.partition('.')[0]\n"
        "        if root not in sys.stdlib_module_names and root not in ('aumos_governance', 'IPython', 'comm'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_importing_the_package_loads_nothing_else() -> None:
    program = (
        "import sys; before = set(sys.modules); import aumos_governance;"
        "print(sorted(name for name in set(sys.modules) - before if name.startswith('aumos_governance.')))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['aumos_governance._version']"
