"""The lock files in ``.ci/locks``: complete, consistent with pyproject.toml, and equal to what is installed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
LOCKS = sorted(path.stem for path in (ROOT / ".ci" / "locks").iterdir())
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
# The extras of the package, or the dependency groups, that each lock file covers.
ROOTS = {
    "lab": (["notebook"], ["build"]),
    "dev": (["dev"], []),
    "pip": ([], ["pip"]),
    "node": ([], ["node"]),
    "uv": ([], ["uv"]),
}
ENVIRONMENTS = [
    {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": platform, "os_name": system}
    for python in ("3.10", "3.11", "3.12", "3.13", "3.14")
    for platform, system in (("linux", "posix"), ("darwin", "posix"), ("win32", "nt"))
]


def _module() -> ModuleType:
    spec = spec_from_file_location("aumos_ci_locked", ROOT / ".ci" / "locked.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look up their annotations
    spec.loader.exec_module(module)
    return module


ci = _module()


def own_requirements(*extras: str) -> Iterator[Requirement]:
    """Yield the requirements of the extras in pyproject.toml, including extras that these require."""
    optional = PROJECT["project"]["optional-dependencies"]
    for text in [*PROJECT["project"]["dependencies"], *(text for extra in extras for text in optional[extra])]:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) == ci.OWN_NAME:
            yield from own_requirements(*requirement.extras)
        else:
            yield requirement


def roots(lock: str) -> list[Requirement]:
    extras, groups = ROOTS[lock]
    return [
        *(own_requirements(*extras) if extras else ()),
        *(Requirement(text) for group in groups for text in GROUPS[group]),
    ]


def required_here(requirements: list[Requirement]) -> set[str]:
    """Return the names of all packages that the requirements need, by the metadata of the installed packages."""
    names: set[str] = set()
    seen: set[tuple[str, str]] = set()
    pending = [(requirement, "") for requirement in requirements]
    while pending:
        requirement, extra = pending.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        names.add(name)
        for wanted in ("", *requirement.extras):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                pending += [(Requirement(text), wanted) for text in distribution(name).requires or ()]
    return names


def test_every_lock_has_its_roots() -> None:
    assert sorted(ROOTS) == LOCKS


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_exact_and_hashed(lock: str) -> None:
    pins = ci.pins(lock)
    assert pins
    for pin in pins:
        assert re.fullmatch(r"==[^=*,]+", str(pin.requirement.specifier)), pin
        assert pin.hashes, pin
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in pin.hashes), pin


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_folder_of_a_machine(lock: str) -> None:
    text = (ROOT / ".ci" / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    assert not re.findall(r"^.*(?:://|--index-url|--find-links|--trusted-host| /\w|[A-Z]:\\).*$", text, re.MULTILINE)


@pytest.mark.parametrize(("folder", "least"), [("labextension", 100), ("tests/agents", 2)])
def test_the_lock_of_the_npm_packages_names_no_registry_and_has_a_hash_of_each(folder: str, least: int) -> None:
    text = (ROOT / folder / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    packages = json.loads(text)["packages"]
    assert len(packages) > least
    assert [name for name, each in packages.items() if name and not each.get("integrity", "").startswith("sha")] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_one_version_of_what_pyproject_requires_within_its_range(lock: str) -> None:
    for environment in ENVIRONMENTS:
        pins = [pin for pin in ci.pins(lock) if pin.applies(environment)]
        versions = {pin.name: pin.version for pin in pins}
        assert len(versions) == len(pins), f"Two versions of a package for {environment}"
        for requirement in roots(lock):
            if requirement.marker is None or requirement.marker.evaluate(environment):
                version = versions.get(canonicalize_name(requirement.name))
                assert version is not None, f"{requirement} is not locked: make lock LOCK_ARGS="
                assert requirement.specifier.contains(version, prereleases=True), (
                    f"{requirement} is locked at {version}: make lock LOCK_ARGS="
                )


def test_what_make_lab_installs_is_a_part_of_what_make_test_installs() -> None:
    for environment in ENVIRONMENTS:
        assert ci.locked("lab", environment=environment).items() <= ci.locked("dev", environment=environment).items()


def test_what_builds_is_locked() -> None:
    required = {str(Requirement(text)) for text in PROJECT["build-system"]["requires"]}
    # Hatchling needs one more package to build an editable installation.
    assert {str(Requirement(text)) for text in GROUPS["build"]} == required | {"editables>=0.5"}


@pytest.fixture
def _locked_environment() -> None:
    stamp = Path(sys.prefix, ".make", "dev")
    if not (stamp.exists() and stamp.read_text() == "locked\n"):
        pytest.skip("not the environment that make installs from the lock")


@pytest.mark.usefixtures("_locked_environment")
def test_what_is_installed_is_what_is_locked() -> None:
    node = ci.locked("node")
    installed = {name: version for name, version in ci.installed().items() if name not in node}
    locked = ci.locked("pip", "dev")
    assert installed == locked, 'Run "make installed". What the environment needs belongs in pyproject.toml: make lock.'
    assert {name: version for name, version in ci.installed().items() if name in node}.items() <= node.items()


@pytest.mark.usefixtures("_locked_environment")
def test_the_lock_has_all_that_is_required_here_and_nothing_else() -> None:
    assert required_here(roots("dev")) == set(ci.locked("dev"))
