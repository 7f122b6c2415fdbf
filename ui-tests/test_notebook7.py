"""Notebook 7, which has no status bar: the item sits in the top area."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import expect


def test_the_top_area_follows_the_notebook(
    notebook7_page: NotebookPage, notebook7: Application, picture: Callable[[str], None]
) -> None:
    spends = ("%governance_spend 0.05 --tool gpt-4o", "%governance_spend 0.03\n%governance_spend 0.12")
    name = write_notebook(notebook7.root / "top.ipynb", "%governance --budget 10.0", *spends, "%governance_disable")
    page = notebook7_page
    page.open(name)
    page.says_off()
    expect(page.page.locator("#top-panel .aumos-StatusItem")).to_be_visible()
    page.run_cells(0, 1, 2, 3)
    page.shows("L2 Suggest", "$9.80 left")
    page.status.click()
    expect(page.popover).to_be_visible()
    picture("notebook7")
    box, item = page.popover.bounding_box(), page.status.bounding_box()
    viewport = page.page.viewport_size
    assert box
    assert item
    assert viewport
    assert item["y"] + item["height"] <= box["y"] + 2
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= viewport["width"]
    page.page.keyboard.press("Escape")
    expect(page.popover).to_have_count(0)
    page.use_theme("JupyterLab Dark")
    picture("notebook7-dark")
    page.run(4)
    page.says_off()


def test_the_audit_opens_below_the_notebook(
    notebook7_page: NotebookPage, notebook7: Application, picture: Callable[[str], None]
) -> None:
    page = notebook7_page
    page.open(write_notebook(notebook7.root / "below.ipynb", "%governance", "%governance_spend 0.05 --tool below"))
    page.run_all()
    page.shows("$9.95 left")
    page.command("aumos-governance:open-audit")
    tab = page.page.locator(".aumos-AuditView")
    spend = tab.locator("[role=row]", has_text="below")
    expect(spend).to_contain_text("$0.05")
    box = tab.bounding_box()
    assert box
    assert box["height"] > 250
    page.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
    spend.click()
    picture("notebook7-audit")
    tab.get_by_role("button", name="In [3]").click()
    page.page.wait_for_function("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex === 2")


def test_the_tree_page_has_no_item(notebook7_page: NotebookPage, notebook7: Application) -> None:
    page = notebook7_page.page
    page.goto(f"{notebook7.url}/tree?token={notebook7.token}")
    page.wait_for_function("() => window.jupyterapp")
    page.evaluate("async () => { await window.jupyterapp.restored; }")
    expect(page.get_by_role("button", name="Upload")).to_be_visible()
    expect(notebook7_page.status).to_be_hidden()


def test_the_panel_stands_in_the_right_side_bar(
    notebook7_page: NotebookPage, notebook7: Application, picture: Callable[[str], None]
) -> None:
    name = write_notebook(notebook7.root / "side.ipynb", "%governance --budget 10", "%governance_spend 2.5")
    page = notebook7_page
    page.open(name)
    page.run_cells(0, 1, 2)
    page.shows("$7.50 left")
    panel = page.page.locator("#aumos-governance-panel")
    expect(panel).to_be_hidden()
    # Keys lead to it as in JupyterLab.
    page.cell(0).click()
    page.lead("b", panel.get_by_role("button", name="Edit the budget"))
    picture("notebook7-panel")
    page.page.keyboard.press("Enter")
    panel.get_by_role("textbox", name="Budget in dollars").fill("5")
    panel.get_by_role("button", name="Set to $5.00").click()
    page.shows("$2.50 left")
    panel.locator(".aumos-Trust-current").click()
    panel.get_by_role("radio", name=re.compile("^L0")).click()
    page.shows("L0 Observer")
    state = notebook7.governance(name)
    assert (state["budget"], state["trust_level"]) == ("5", 0)
