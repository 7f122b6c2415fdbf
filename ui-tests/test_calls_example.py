"""The example notebook of governed calls, run from the first cell to the last without a network."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
from harness.application import Application
from harness.pages import NotebookPage
from playwright.sync_api import expect

_EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "governed-calls.ipynb"


def test_the_example_of_governed_calls(lab_page: NotebookPage, lab: Application) -> None:
    shutil.copy(_EXAMPLE, lab.root / _EXAMPLE.name)
    cells = nbformat.read(_EXAMPLE, as_version=4).cells
    code = [index for index, cell in enumerate(cells) if cell.cell_type == "code"]
    many = next(index for index in code if "asyncio.gather" in cells[index].source)
    denied = next(index for index in code if "200_000" in cells[index].source)
    lab_page.open(_EXAMPLE.name)
    *work, close = code
    for index in work:
        lab_page.run(index)
    expect(lab_page.output(many)).to_contain_text("{'answered': 9, 'denied': 21}")
    expect(lab_page.output(denied)).to_contain_text(re.compile(r"DENIED: Would exceed budget \(\$3\.40\d* > \$1\.00\)"))
    lab_page.shows("L2 Suggest", re.compile(r"\$0\.99\d* left"))
    state = lab.governance(_EXAMPLE.name)
    assert (state["held"], state["over"]) == ("0", "0")
    assert 0.001 < float(state["spent"]) < 0.01
    lab_page.run(close)
    lab_page.says_off()
