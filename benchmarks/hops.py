"""A count of the source files of this project that take part in a spend; run by ``python -m benchmarks.hops``.

A file takes part if one of its functions is called. In Python, these are the files from the magic to the audit record
and its event, in kernel and server, for each transport; a profile function in every thread of both processes notes
them. In TypeScript, they are the files from the event to the status bar, by the JavaScript engine's counters of calls.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import aumos_governance
from tests.bridge.live_server import LiveServer, until
from tests.kernel.governed_kernel import CONNECT, SOCKET, connected
from tests.kernel.real_kernel import Kernel

__all__ = ["Hops", "page", "python"]

_LABEXTENSION = Path(__file__).parents[1] / "labextension"
_PACKAGE = Path(aumos_governance.__file__).parent
_ROUNDS = 3
"""The number of spends. Only files that take part in all of them are counted: others, e.g. those of a regular check,
ran by chance."""
_SPEND = "%governance_spend 0.001 --tool gpt-4o"
_NOTED_SPEND = f"""
import os
noted = os.path.join(os.environ["AUMOS_HOPS"], str(os.getpid()))
os.mkdir(noted)
{_SPEND}
os.rename(noted, os.path.join(os.environ["AUMOS_HOPS"], "kernel"))
"""

# Runs in the server and the kernel as they start. While a folder with the name of the process exists, a file is made in
# it for each of the package's files of which a function is called or a generator is resumed. The bodies of modules and
# classes, which run at the import, are not functions: their code lacks the flag CO_NEWLOCALS (2).
_PROFILE = """
import os, sys, threading
from contextlib import suppress

folder, package = os.environ["AUMOS_HOPS"], os.environ["AUMOS_HOPS_OF"] + os.sep

def note(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(package) and code.co_flags & 2:
        name = code.co_filename[len(package):].replace(os.sep, " ")
        with suppress(OSError), open(os.path.join(folder, str(os.getpid()), name), "w"):
            pass

threading.setprofile(note)
sys.setprofile(note)
"""


@dataclass(frozen=True)
class Hops:
    """The files of the Python package that take part in a spend, in the kernel and in the server.

    The paths are relative to the package's folder.
    """

    kernel: frozenset[str]
    server: frozenset[str]

    @property
    def files(self) -> frozenset[str]:
        return self.kernel | self.server


def python(way: str, folder: Path) -> Hops:
    """Return the Python files that take part in a spend, on a real server with a SQLite ledger.

    ``way`` is the transport, ``socket`` or ``comm``, and ``folder`` an empty folder for the server.
    """
    hook, noted = folder / "hook", folder / "noted"
    hook.mkdir()
    noted.mkdir()
    (hook / "sitecustomize.py").write_text(_PROFILE, encoding="utf-8")
    server = LiveServer(
        folder,
        f"--GovernanceExtension.local_socket={way == 'socket'}",
        environment={
            "PYTHONPATH": os.pathsep.join([str(hook), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "AUMOS_HOPS": str(noted),
            "AUMOS_HOPS_OF": str(_PACKAGE),
        },
    )
    try:
        server.start()
        opened = server.open_notebook("hops.ipynb")
        opened.close()
        with connected(server, opened.kernel_id) as kernel:
            # The first spend, which also loads and opens things, is not counted.
            prepare = ["%governance --budget 1000", _SPEND, *([CONNECT, SOCKET] if way == "socket" else [])]
            assert all(kernel.run(cell).status == "ok" for cell in prepare)
            found = [_spend(server, kernel, noted) for _ in range(_ROUNDS)]
    finally:
        server.close()
    return Hops(
        frozenset.intersection(*(hops.kernel for hops in found)),
        frozenset.intersection(*(hops.server for hops in found)),
    )


def _spend(server: LiveServer, kernel: Kernel, noted: Path) -> Hops:
    assert server.process is not None
    with server.events() as events:
        before = server.state("hops.ipynb")["seq"]
        in_server = noted / str(server.process.pid)
        in_server.mkdir()
        outcome = kernel.run(_NOTED_SPEND)
        assert outcome.status == "ok", outcome
        until(lambda: json.loads(events.recv()).get("seq", 0) > before, "the event of the spend comes")
        return Hops(_files(noted / "kernel"), _files(in_server.rename(noted / "server")))


def _files(folder: Path) -> frozenset[str]:
    found = frozenset(file.name.replace(" ", "/") for file in folder.iterdir())
    shutil.rmtree(folder)
    return found


def page() -> list[str]:
    """Return the TypeScript files that take part in showing a spend: from the server's event to the status bar.

    The paths are relative to ``labextension/src``.

    Raises:
        subprocess.CalledProcessError: The test that counts the files fails; its output was printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "files.json")
        subprocess.run(
            ["npx", "vitest", "run", "src/__tests__/hops.spec.ts"],
            cwd=_LABEXTENSION,
            env={**os.environ, "AUMOS_HOPS": str(found)},
            check=True,
        )
        files: list[str] = json.loads(found.read_text(encoding="utf-8"))
        return files


def main() -> None:
    for way in ("comm", "socket"):
        with tempfile.TemporaryDirectory() as folder:
            hops = python(way, Path(folder))
        print(f"magic to event over {way}: {len(hops.files)} Python files")
        for file in sorted(hops.files):
            where = [name for name, files in (("kernel", hops.kernel), ("server", hops.server)) if file in files]
            print(f"  {file} ({', '.join(where)})")
    files = page()
    print(f"event to status bar: {len(files)} TypeScript files")
    for file in files:
        print(f"  {file}")


if __name__ == "__main__":
    main()
