"""The acceptance notebook in JupyterLab, cell by cell as a user runs it."""

from __future__ import annotations

import re
from collections.abc import Callable

import nbformat
import pytest
from harness.application import Application
from harness.documents import acceptance_notebook
from harness.pages import NotebookPage
from playwright.sync_api import expect

NAME = "jupyter-governance.ipynb"


@pytest.fixture
def cells(lab: Application) -> list[nbformat.NotebookNode]:
    """The cells of the acceptance notebook, which is also copied into the application's folder."""
    notebook = acceptance_notebook()
    nbformat.write(notebook, lab.root / NAME)
    return list(notebook.cells)


def test_the_status_item_follows_each_cell(
    lab_page: NotebookPage, lab: Application, cells: list[nbformat.NotebookNode], picture: Callable[[str], None]
) -> None:
    code = [index for index, cell in enumerate(cells) if cell.cell_type == "code"]
    first_spend, more_spends, close = code[-3:]
    lab_page.open(NAME)
    lab_page.says_off()
    for index in code[: code.index(first_spend)]:
        lab_page.run(index)
    lab_page.shows("L2 Suggest", "$10.00 left")
    lab_page.run(first_spend)
    lab_page.shows("L2 Suggest", "$9.95 left")
    expect(lab_page.output(first_spend)).to_contain_text("Recorded: $0.05 for gpt-4o ($9.95 remaining)")
    lab_page.run(more_spends)
    lab_page.shows("L2 Suggest", "$9.80 left")
    picture("acceptance-light")
    # JupyterLab takes the text between two dollar signs in HTML for a formula, unless the output prevents that.
    expect(lab_page.output(more_spends).last).to_contain_text("Budget: $0.20 spent / $10.00 limit ($9.80 remaining)")
    state = lab.governance(NAME)
    assert (state["active"], state["spent"], state["remaining"]) == (True, "0.2", "9.8")

    lab_page.restart_kernel()
    lab_page.shows("L2 Suggest", "$9.80 left")
    lab_page.reload()
    lab_page.shows("L2 Suggest", "$9.80 left")

    lab_page.run(code[1])
    lab_page.run(close)
    expect(lab_page.output(close).filter(has_text="Session total: $0.20 / $10.00")).to_be_visible()
    lab_page.says_off()
    state = lab.governance(NAME)
    assert (state["active"], state["spent"], state["remaining"]) == (False, "0.2", "9.8")
    expect(lab_page.status).to_have_attribute("title", _containing("$0.20"))


def _containing(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text))
