"""The pages of the documentation, their code blocks, and a way to run cells as a reader would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def page_id(document: Path) -> str:
    return str(document.relative_to(ROOT))


def fences(page: Path, language: str) -> list[str]:
    return [text for name, text in FENCE.findall(page.read_text()) if name == language]


def run_cells(cells: list[str], folder: Path) -> str:
    """Run cells in a plain IPython shell, with its state in ``folder``; return their output."""
    program = (
        "import json, sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance(colors='NoColor')\n"
        "for cell in json.load(sys.stdin):\n"
        "    result = shell.run_cell(cell)\n"
        "    if not result.success:\n"
        "        sys.exit(1)\n"
    )
    folder.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JPY_", "KERNEL_"))}
    result = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            **environment,
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "IPYTHONDIR": str(folder / "ipython"),
            "HOME": str(folder),
        },
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
