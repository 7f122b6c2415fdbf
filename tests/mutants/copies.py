"""A copy of the package in which one module at a time is changed, and the tests that run on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["PACKAGE", "ROOT", "Copy", "path_of"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "aumos_governance"
_WRONGLY_CALLED = 4
_NO_TESTS = 5


def path_of(module: str, root: Path = ROOT) -> Path:
    """Raises SystemExit where there is no such module."""
    path = root / Path(*module.split("."))
    found = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not found.is_file():
        raise SystemExit(f"There is no module {module}: change its name in tests/mutants/listed.py.")
    return found


class Copy:
    """What tests import, and the processes that they start too; the sources themselves are never changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / PACKAGE, folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", "labextension"))
        (folder / PACKAGE / "labextension").symlink_to(ROOT / PACKAGE / "labextension")
        self._changes = 0

    def write(self, module: str, text: str) -> None:
        """Change a module: Python compiles it anew, since no two changes have the same time."""
        path = path_of(module, self.folder)
        path.write_text(text, "utf-8")
        self._changes += 1
        when = 1_000_000_000 + self._changes
        os.utime(path, (when, when))

    def restore(self, module: str) -> None:
        self.write(module, path_of(module).read_text("utf-8"))

    def failed(self, files: Sequence[str], chosen: str, less: Sequence[str], timeout: float) -> tuple[bool, float, str]:
        """Whether a test fails, or all take over ``timeout``; the seconds taken, and what was printed.

        The tests ``less`` are left out. Raises RuntimeError where no tests could be run.
        """
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        paths = (str(self.folder), str(ROOT), os.environ.get("PYTHONPATH", ""))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "TMPDIR": str(temporary)}
        command = [sys.executable, "-P"] if sys.version_info >= (3, 11) else [sys.executable]
        command += ["-m", "pytest", "-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-k", chosen]
        # The tests' own order of paths would put the unchanged sources first.
        command += ["-o", f"pythonpath={self.folder} {ROOT}", f"--basetemp={temporary / 'pytest'}", *files]
        command += [f"--deselect={name}" for name in less]
        begun = time.monotonic()
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as tests:
            try:
                said, _ = tests.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                # It leads a group of its own, made above: what it started ends with it.
                os.killpg(tests.pid, signal.SIGKILL)
                tests.communicate()
                return True, timeout, "timeout"
        shutil.rmtree(temporary, ignore_errors=True)
        if tests.returncode == _WRONGLY_CALLED:
            raise RuntimeError(said)
        return tests.returncode not in {0, _NO_TESTS}, time.monotonic() - begun, said
