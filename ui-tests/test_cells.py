"""The cost of cells: shown beside them after a run, and estimated before it."""

from __future__ import annotations

import re
from collections.abc import Callable

import nbformat
from axe_playwright_python.sync_playwright import Axe
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import expect


def axe_finds_nothing(page: NotebookPage, selector: str) -> None:
    found = Axe().run(page.page, context={"include": [[selector]]})
    assert found.violations_count == 0, found.generate_report()


def test_a_cell_shows_what_it_spent_and_its_file_does_not_change(
    lab_page: NotebookPage, lab: Application, picture: Callable[[str], None]
) -> None:
    spends = "%governance_spend 0.05 --tool gpt-4o\n%governance_spend 0.03 --tool <b>other"
    name = write_notebook(lab.root / "receipts.ipynb", "%governance --budget 10", "print(1)", spends)
    lab_page.open(name)
    lab_page.run_cells(0, 1, 2, 3)
    badge = lab_page.cell(3).locator(".aumos-Receipt-badge")
    expect(badge).to_have_text(re.compile(r"^\$0\.08.2$"))
    expect(lab_page.page.locator(".aumos-Receipt-badge")).to_have_count(1)
    above, below = badge.bounding_box(), lab_page.output(3).first.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"] + 1
    badge.click()
    expect(lab_page.cell(3).locator(".aumos-Receipt-records li")).to_have_text(["<b>other$0.03", "gpt-4o$0.05"])
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab_page.use_theme(theme)
        picture(f"receipt-{theme.split()[1].lower()}")
        axe_finds_nothing(lab_page, ".aumos-Receipt")
    badge.click()
    lab_page.run(3)
    expect(badge).to_have_attribute("title", re.compile(r"\$0\.16 in 2 runs"))
    lab_page.reload()
    expect(badge).to_have_text(re.compile(r"^\$0\.08.2$"))
    lab_page.command("docmanager:save")
    saved = nbformat.read(lab.root / name, as_version=4)
    assert "aumos" not in str([cell.metadata for cell in saved.cells]).lower()


def test_the_price_is_shown_before_all_cells_run(
    lab_page: NotebookPage, lab: Application, picture: Callable[[str], None]
) -> None:
    cells = (
        "%governance --budget 1",
        "%%governed --tool deploy --cost 0.75\npass",
        "%governance_spend 0.5",
        "print(1)",
    )
    lab_page.open(write_notebook(lab.root / "price.ipynb", *cells))
    lab_page.run_cells(0, 1)
    lab_page.shows("$1.00 left")
    page = lab_page.page
    page.evaluate("void window.jupyterapp.commands.execute('aumos-governance:run-all-with-price')")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("$1.25 + ?")
    expect(dialog).to_contain_text("That is $0.25 more than is left")
    # The first cell is left out: loading the magics and setting governance cost nothing.
    lines = dialog.locator(".aumos-Price-cells li")
    expect(lines).to_have_text(
        [
            "%%governed --tool deploy --cost 0.75stated in the cell$0.75",
            "%governance_spend 0.5stated in the cell$0.50",
            "print(1)unknown",
        ]
    )
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab_page.use_theme(theme)
        picture(f"price-{theme.split()[1].lower()}")
        axe_finds_nothing(lab_page, ".aumos-Price")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    assert lab.governance("price.ipynb")["spent"] == "0"
    page.evaluate("void window.jupyterapp.commands.execute('aumos-governance:run-all-with-price')")
    dialog.get_by_role("button", name="Run All").click()
    # At this trust level the action is only suggested, which stops the run of all cells.
    expect(lab_page.output(2).first).to_be_visible()
    assert lab.governance("price.ipynb")["spent"] == "0"


def test_what_cells_cost_before_is_known_before_they_run_again(
    lab_page: NotebookPage, lab: Application, picture: Callable[[str], None]
) -> None:
    spends = "import os\nget_ipython().run_line_magic('governance_spend', os.environ.get('PRICE', '0.2'))"
    cells = "%governance --budget 2", spends, "print('free')", "os.environ['PRICE'] = '0.3'", "missing"
    name = write_notebook(lab.root / "learned.ipynb", *cells)
    lab_page.open(name)
    page = lab_page.page
    lab_page.run_cells(0, 1, 2, 3, 4)
    lab_page.shows("$1.80 left")
    lab_page.run_cells(2, 5)
    lab_page.shows("$1.50 left")
    lab_page.reload()
    estimate = "void window.jupyterapp.commands.execute('aumos-governance:run-all-with-price')"
    page.evaluate(estimate)
    dialog = page.get_by_role("dialog")
    lines = dialog.locator(".aumos-Price-cells li")
    expect(lines).to_have_text(["import oslast 2 runs$0.20 \u2013 $0.30", "missingunknown"])
    expect(dialog).to_contain_text("$0.20 \u2013 $0.30 + ?")
    expect(dialog.get_by_role("button", name="Run All")).to_be_focused()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab_page.use_theme(theme)
        picture(f"price-learned-{theme.split()[1].lower()}")
        axe_finds_nothing(lab_page, ".aumos-Price")
    # Each line is a link to its cell, also by keyboard.
    dialog.get_by_role("button", name="missing").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex === 5")
    # The estimate changes no decision: the dialog only warns that the cells may need more than is left.
    lab.govern(name, budget="0.6")
    lab_page.shows("$0.10 left")
    page.evaluate(estimate)
    expect(dialog).to_contain_text("That is $0.10 more than is left")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    # The cost of an edited cell is unknown.
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets[2].model.sharedModel.setSource('other()')"
    )
    page.evaluate(estimate)
    expect(lines).to_have_text(["other()unknown", "missingunknown"])
    page.keyboard.press("Escape")
    assert lab.governance(name)["spent"] == "0.5"
