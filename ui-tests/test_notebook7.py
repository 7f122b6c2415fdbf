"""Notebook 7, which has no status bar: the item sits in the top area."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from harness.application import Application
from harness.boxes import axe_finds_nothing, faults
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import expect

_CONFIGURATION = """\
c.GovernanceExtension.providers = {"ollama": {"base_url": "http://127.0.0.1:9/v1", "denied_models": ["*-cloud"]}}
"""


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    application = Application("notebook", tmp_path_factory.mktemp("notebook"), configuration=_CONFIGURATION)
    application.start()
    yield application
    application.stop()


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
    expect(tab.locator(".aumos-AuditDetail")).to_be_visible()
    picture("notebook7-audit")
    assert faults(tab) == []
    axe_finds_nothing(page.page, ".aumos-AuditView")
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
    # The same shortcut opens the panel as in JupyterLab.
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


def test_the_gateway_stands_in_the_panel(
    notebook7_page: NotebookPage, notebook7: Application, picture: Callable[[str], None]
) -> None:
    """By keyboard alone."""
    name = write_notebook(notebook7.root / "gateway.ipynb", "pass")
    notebook7.govern(name, trust_level=2, budget="1")
    notebook7.create_key("Weekly.report_of-the-whole_department")
    page = notebook7_page
    page.open(name)
    section = page.page.locator("#aumos-governance-panel [data-section=gateway]")
    page.cell(0).click()
    page.lead("x", section.locator(".aumos-Section-title"))
    stop = section.get_by_role("button", name="Stop the calls of this notebook")
    expect(section).to_contain_text("all models except *-cloud")
    picture("notebook7-gateway")
    assert faults(section) == []
    axe_finds_nothing(page.page, "#aumos-governance-panel [data-section=gateway]")
    page.tab_to(stop)
    page.page.keyboard.press("Enter")
    expect(section).to_contain_text("Stopped: 1 key was revoked.")
    page.tab_to(section.get_by_role("button", name=re.compile("^Revoke key Weekly")))
    page.page.keyboard.press("Enter")
    expect(section).to_contain_text("A key lets a program of yours")
