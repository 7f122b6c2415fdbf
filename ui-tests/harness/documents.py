"""The notebooks that the tests open."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

_REPOSITORY = Path(__file__).resolve().parents[2]
_EXAMPLE = _REPOSITORY / "examples" / "jupyter-governance.ipynb"
_ACCEPTANCE = _REPOSITORY.parent / "shared" / "acceptance" / "jupyter-governance.ipynb"

# The name of the notebook of tests that share one.
GOVERNED = "governed.ipynb"
LOAD = "%load_ext aumos_governance.jupyter_extension"


def write_notebook(path: Path, *cells: str) -> str:
    """Write a notebook with a first cell that loads the magics, then these code cells; returns its name."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in (LOAD, *cells)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path.name


def acceptance_notebook() -> nbformat.NotebookNode:
    """Return the acceptance notebook: the file beside the repository if it exists, else the copy in `examples/`."""
    return nbformat.read(_ACCEPTANCE if _ACCEPTANCE.exists() else _EXAMPLE, as_version=4)
