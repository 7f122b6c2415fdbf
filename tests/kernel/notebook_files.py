"""Reads notebook files, such as the examples, and runs them without a server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.kernel.real_kernel import environment

ROOT = Path(__file__).parents[2]


EXAMPLES = ROOT / "examples"


COPY = EXAMPLES / "jupyter-governance.ipynb"


_HANDED_OUT = ROOT.parent / "shared" / "acceptance" / COPY.name


ACCEPTANCE = _HANDED_OUT if _HANDED_OUT.exists() else COPY


ACCEPTANCE_LINES = [
    "Governance enabled: trust_level=L2, budget=$10.00",
    "Trust Level: L2 (Suggest)",
    "Budget: $0.00 spent / $10.00 limit ($10.00 remaining)",
    "Recorded: $0.05 for gpt-4o ($9.95 remaining)",
    "Trust Level: L2 (Suggest)",
    "Budget: $0.05 spent / $10.00 limit ($9.95 remaining)",
    "Recorded: $0.03 for text-embedding-3-small ($9.92 remaining)",
    "Recorded: $0.12 for claude-opus-4-6 ($9.80 remaining)",
    "Trust Level: L2 (Suggest)",
    "Budget: $0.20 spent / $10.00 limit ($9.80 remaining)",
    "Trust Level: L2 (Suggest)",
    "Budget: $0.20 spent / $10.00 limit ($9.80 remaining)",
    "Governance disabled. Session total: $0.20 / $10.00",
]


def sources(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def written(notebook: Path) -> list[dict[str, Any]]:
    """Return the outputs of an executed notebook, in order."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    for _ in range(3):
        ended = subprocess.run(
            command, env=environment(folder), capture_output=True, text=True, cwd=folder, check=False
        )
        # A kernel's ports are chosen before it starts, and another program may use one when the kernel binds it.
        if "Kernel died before replying" not in ended.stderr:
            break
    return ended


def with_papermill(notebook: Path, folder: Path, *options: str) -> tuple[int, list[dict[str, Any]]]:
    output = folder / "out.ipynb"
    result = call(folder, "papermill", "--no-progress-bar", *options, str(notebook), str(output))
    return result.returncode, written(output)
