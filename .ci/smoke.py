"""Try the wheel and the sdist that ``make build`` made: install each with every supported Python, and record a spend.

Usage: python .ci/smoke.py DIST UV. DIST is the folder of the built files, and UV the path of the program uv.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
SPENDS = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "aumos_governance.jupyter_extension")
shell.run_line_magic("governance", "--trust-level 2 --budget 10.0")
shell.run_line_magic("governance_spend", "0.05 --tool smoke")
"""


def pythons(uv: str) -> list[str]:
    """Return the paths of the supported Pythons that the program ``uv`` finds on this machine, also those of pyenv."""
    environment = dict(os.environ)
    if shutil.which("pyenv"):
        # pyenv's programs on PATH only start the versions that this variable names.
        listed = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False).stdout
        environment["PYENV_VERSION"] = ":".join(listed.split())
    found = []
    for version in PYTHONS:
        find = [uv, "python", "find", "--no-project", "--system", version]
        done = subprocess.run(find, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            program = [done.stdout.strip(), "-c", "import sys; print(sys.executable)"]
            real = subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout
            found.append(real.strip())
    return found


def run(*command: str | Path, folder: Path, **variables: str) -> str:
    """Run a command in a folder and return its output. If it fails, exit with its output as the error message.

    ``variables`` are further environment variables for the command.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**environment, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(part) for part in command)} failed:\n{done.stdout}")
    return done.stdout


def try_out(python: str, file: Path) -> None:
    """Install a built file into a new environment of ``python`` and use it there; exit with a message if that fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(python, "-m", "venv", "environment", folder=folder)
        programs = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
        run(programs / "python", "-m", "pip", "install", "--quiet", file, folder=folder)
        home = {"HOME": name, "JUPYTER_DATA_DIR": str(folder / "data"), "IPYTHONDIR": str(folder / "ipython")}
        printed = run(programs / "python", "-c", SPENDS, folder=folder, **home)
        if "$9.95 remaining" not in printed:
            sys.exit(f"{file.name} did not record a spend with {python}:\n{printed}")
        extensions = run(programs / "jupyter", "server", "extension", "list", folder=folder, **home)
        # Between the two words there is a code for the terminal's colour.
        if not re.search(r"aumos_governance \S*enabled", extensions):
            sys.exit(f"{file.name} did not enable its server extension with {python}:\n{extensions}")
        page = folder / "environment" / "share" / "jupyter" / "labextensions" / "aumos-governance" / "package.json"
        if not page.exists():
            sys.exit(f"{file.name} did not install its JupyterLab extension with {python}.")
        ledger = folder / "data" / "aumos_governance" / "embedded.sqlite"
        run(programs / "jupyter-governance", "verify", "--database-url", f"sqlite:///{ledger}", folder=folder, **home)


def main(dist: str, uv: str) -> None:
    found = pythons(uv)
    if not found:
        sys.exit(f"No Python of the versions {', '.join(PYTHONS)} was found to try the built files with; install one.")
    for python in found:
        for file in sorted(Path(dist).resolve().iterdir()):
            print(f"Trying {file.name} with {python}", flush=True)
            try_out(python, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
