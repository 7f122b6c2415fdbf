"""Several users, or one in several browsers: users who may only read, and changes that another page shows."""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Callable

import pytest
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import BrowserContext, Locator, expect

_READER = "You can view this, but not change it."


def panel_of(page: NotebookPage) -> Locator:
    page.command("aumos-governance:open-panel")
    return page.page.locator("#aumos-governance-panel")


def set_budget(page: NotebookPage, amount: str, press: str) -> None:
    """Set the budget in the panel, as a user does."""
    panel = panel_of(page)
    panel.get_by_role("button", name="Edit the budget").click()
    panel.get_by_role("textbox", name="Budget in dollars").fill(amount)
    panel.get_by_role("button", name=press).click()


def test_a_reader_sees_all_and_changes_nothing(
    serve: Callable[..., Application], open_page: Callable[[Application], NotebookPage]
) -> None:
    application = serve("lab", "--ServerApp.authorizer_class=harness.reading.ReadOnly")
    page = open_page(application)
    name = write_notebook(application.root / "reader.ipynb", "%governance --budget 10")
    page.open(name)
    page.run_all()
    page.shows("$10.00 left")
    with pytest.raises(urllib.error.HTTPError) as refused:
        application.govern(name, budget="99")
    with refused.value as response:
        assert response.code == 403
        assert b"not authorized to write" in response.read()

    panel = panel_of(page)
    expect(panel).to_contain_text(_READER)
    for control in ("Edit the budget", "Close session…"):
        expect(panel.get_by_role("button", name=control)).to_be_disabled()
        expect(panel.get_by_role("button", name=control)).to_have_attribute("title", _READER)
    panel.locator("[data-section=trust] .aumos-Trust-current").click()
    lowest = panel.get_by_role("radio", name=re.compile("^L0"))
    expect(lowest).to_have_attribute("title", _READER)
    lowest.click(force=True)
    state = application.governance(name)
    assert (state["trust_level"], state["budget"]) == (2, "10")


def test_what_one_browser_changes_shows_in_another(
    lab: Application, lab_page: NotebookPage, new_context: Callable[[], BrowserContext]
) -> None:
    name = write_notebook(lab.root / "two-browsers.ipynb", "%governance --budget 10")
    lab_page.open(name)
    lab_page.run_all()
    lab_page.shows("$10.00 left")
    other = NotebookPage(new_context().new_page(), lab)
    other.open(name)
    other.shows("$10.00 left")
    set_budget(lab_page, "12.50", "Raise to $12.50")
    other.shows("$12.50 left")
    expect(panel_of(other).locator("[data-section=budget]")).to_contain_text("$12.50")
    set_budget(other, "4", "Set to $4.00")
    lab_page.shows("$4.00 left")
    other.page.close()


def test_one_notebook_in_two_windows_is_one_session(lab: Application, lab_page: NotebookPage) -> None:
    name = write_notebook(lab.root / "two-tabs.ipynb", "%governance --budget 10", "%governance_spend 2.5")
    lab_page.open(name)
    lab_page.run_cells(0, 1)
    # JupyterLab redirects a second tab of the same browser profile to another workspace while it loads.
    browser = lab_page.page.context.browser
    assert browser
    tab = NotebookPage(browser.new_context(viewport={"width": 1200, "height": 760}).new_page(), lab)
    tab.open(name)
    tab.shows("$10.00 left")
    tab.run(2)
    tab.shows("$7.50 left")
    lab_page.shows("$7.50 left")
    assert len(lab.kernels()) == 1
    tab.page.context.close()
    lab_page.run(2)
    lab_page.shows("$5.00 left")
