"""Compare the packages of an environment with the lock files in ``.ci/locks``.

As a command, for the Makefile::

    python .ci/locked.py tidy             uninstall packages that no lock file has from the running environment
    python .ci/locked.py moved FOLDER     print the differences of the environment in FOLDER from the lock files
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = Path(__file__).parent / "locks"
OWN_NAME = "aumos-governance"
# The lock files whose packages share one environment. "lab" is a part of "dev", and uv has an environment of its own.
SHARED = ("pip", "node", "dev")


@dataclass(frozen=True)
class Pin:
    """One entry of a lock file: a package with its only allowed version, and the hashes of the files to install."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        return str(self.requirement.specifier).removeprefix("==")

    def applies(self, environment: dict[str, str] | None = None) -> bool:
        """Return whether the entry applies to the running interpreter and platform.

        With ``environment``, its values, such as ``python_version``, replace those of the running interpreter.
        """
        marker = self.requirement.marker
        return marker is None or marker.evaluate(environment)


def pins(lock: str) -> list[Pin]:
    """Return all entries of the lock file with this name, such as ``dev``, for every Python and platform."""
    text = (LOCKS / f"{lock}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement, *hashes = line.split(" --hash=")
            found.append(Pin(Requirement(requirement), tuple(digest.strip() for digest in hashes)))
    return found


def locked(*locks: str, environment: dict[str, str] | None = None) -> dict[str, str]:
    """Return the locked version of each package in the lock files with these names, such as ``dev``.

    Only entries for the running interpreter are used or, with ``environment``, for the environment markers in it.
    """
    return {pin.name: pin.version for lock in locks for pin in pins(lock) if pin.applies(environment)}


def installed(folder: Path | None = None) -> dict[str, str]:
    """Return the version of each installed package, except this project.

    The packages are those of the running environment or, with ``folder``, of the virtual environment there.
    """
    if folder is None:
        found = distributions()
    else:
        found = distributions(path=[str(path) for path in folder.glob("lib/python*/site-packages")])
    versions: dict[str, str] = {canonicalize_name(each.metadata["Name"]): each.version for each in found}
    versions.pop(OWN_NAME, None)
    return versions


def tidy() -> None:
    """Uninstall from the running environment the packages that are in no lock file, e.g. in an older one only."""
    if strangers := sorted(set(installed()) - set(locked(*SHARED))):
        print(f"Uninstalling packages that are not locked: {', '.join(strangers)}", flush=True)
        subprocess.run([sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", *strangers], check=True)


def moved(folder: Path) -> list[str]:
    """Return one line for each package whose version in the environment ``folder`` differs from the lock file ``dev``.

    Packages that are only installed or only locked are included.
    """
    there, here = installed(folder), locked("dev")
    return [
        f"{name}: {here.get(name, 'not locked')} -> {there.get(name, 'not installed')}"
        for name in sorted(there.keys() | here.keys())
        if there.get(name) != here.get(name)
    ]


def main(arguments: list[str]) -> int:
    if arguments == ["tidy"]:
        tidy()
    elif len(arguments) == 2 and arguments[0] == "moved":
        lines = moved(Path(arguments[1]))
        print(f"{len(lines)} packages differ from the lock (locked -> installed):" if lines else "All are as locked.")
        print("".join(f"  {line}\n" for line in lines), end="", flush=True)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
