"""Calls that wait at a limit: their cards under the cell and in the panel, and the user's decisions on them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from harness.application import Application
from harness.boxes import axe_finds_nothing
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import Locator, expect

_SPEND = "%governance_spend 1.4 --tool gpt-4o"
_THREADS = """
from concurrent.futures import ThreadPoolExecutor
from aumos_governance.engine import GovernanceAction
from aumos_governance.kernel.engine.notebook_engine import notebook_engine
engine = notebook_engine()
def call(_):
    with engine.authorize(GovernanceAction(agent_id="", tool="gpt-4o", budget_amount="1.4")) as grant:
        grant.settle("1.2")
with ThreadPoolExecutor(3) as threads:
    list(threads.map(call, range(3)))
"""


@pytest.fixture
def name(lab: Application, request: pytest.FixtureRequest) -> str:
    start = "%governance --budget 1 --trust-level 5 --agent agent-7 --at-limit ask"
    return write_notebook(lab.root / f"{request.node.originalname}.ipynb", start, _SPEND, _THREADS)


@pytest.fixture
def at_limit(lab_page: NotebookPage, name: str) -> NotebookPage:
    """A page with a notebook whose calls wait at the limit."""
    lab_page.open(name)
    lab_page.run_cells(0, 1)
    lab_page.shows("$1.00 left")
    return lab_page


def card(page: NotebookPage, index: int = 2) -> Locator:
    return page.cell(index).locator(".aumos-WaitingCell .aumos-Card")


def test_a_user_raises_the_budget_and_the_cell_goes_on(at_limit: NotebookPage, picture: Callable[[str], None]) -> None:
    page = at_limit
    page.begin(2)
    for words in ("gpt-4o", "$1.40", "Needs $0.40 more than the budget has left.", re.compile(r"\d+ (s|min) left")):
        expect(card(page)).to_contain_text(words)
    expect(page.output(2).first).to_contain_text("under the cell or in the governance panel")
    expect(page.status).to_contain_text("1 waiting")
    # The card is on the screen.
    expect(page.page.locator(".Toastify__toast")).to_have_count(0)
    expect(page.page.locator(".lm-TabBar-tab[data-aumos-waiting='1']")).to_have_count(1)
    page.status.click()
    expect(page.popover).to_contain_text("Waiting at a limit")
    expect(page.popover).to_contain_text("needs $0.40 more")
    picture("at-limit-popover")
    page.popover.get_by_role("button", name="gpt-4o").click()
    expect(card(page)).to_be_focused()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.use_theme(theme)
        picture(f"at-limit-cell-{theme.split()[1].lower()}")
        axe_finds_nothing(page.page, ".aumos-WaitingCell", ".aumos-StatusItem")
    card(page).get_by_role("button", name="Raise Budget…").click()
    section = page.page.locator(".aumos-Panel")
    expect(section).to_contain_text("Waiting at a limit")
    expect(section.get_by_role("textbox", name="Budget in dollars")).to_have_value("1.4")
    picture("at-limit-panel")
    section.get_by_role("button", name="Raise to $1.40").click()
    expect(page.output(2).last).to_contain_text("Recorded: $1.40")
    expect(card(page)).to_have_count(0)
    page.shows("$0.00 left")
    expect(page.status).not_to_contain_text("waiting")
    expect(page.page.locator("[data-aumos-waiting]")).to_have_count(0)


def test_a_user_denies_all_calls_that_wait(at_limit: NotebookPage, picture: Callable[[str], None]) -> None:
    page = at_limit
    page.begin(3)
    expect(card(page, 3)).to_contain_text("3 calls wait. Together they need $3.20 more.")
    card(page, 3).get_by_role("button", name="Deny…").click()
    expect(page.decision).to_contain_text("Deny all 3 calls?")
    deny = page.decision.get_by_role("button", name="Deny", exact=True)
    expect(deny).to_have_attribute("aria-disabled", "false")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.use_theme(theme)
        picture(f"at-limit-deny-{theme.split()[1].lower()}")
    axe_finds_nothing(page.page, ".aumos-Decision")
    deny.click()
    expect(page.output(3).last).to_contain_text("DENIED: Would exceed budget")
    expect(card(page, 3)).to_have_count(0)
    page.shows("$1.00 left")


def test_a_call_in_another_notebook_is_notified_and_the_notification_leads_to_it(
    lab_page: NotebookPage, lab: Application
) -> None:
    page, gate = lab_page, lab.root / "gate"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}):\n    time.sleep(0.05)\n{_SPEND}"
    start = "%governance --budget 1 --trust-level 5 --at-limit ask"
    page.open(write_notebook(lab.root / "behind.ipynb", start, waits))
    page.run_cells(0, 1)
    page.shows("$1.00 left")
    page.begin(2)
    page.kernel_is("busy")
    page.open_beside(write_notebook(lab.root / "front.ipynb", "1"))
    gate.touch()
    toast = page.page.locator(".Toastify__toast")
    expect(toast).to_contain_text("waits at a limit and needs $0.40 more.")
    expect(toast).to_contain_text("behind.ipynb")
    expect(page.status).to_contain_text("1 waiting")
    page.cell(0).click()
    page.lead("a", page.page.locator(".aumos-Panel [data-limit]"))
    expect(page.page.locator(".aumos-Panel [data-limit]")).to_contain_text("behind.ipynb")
    # The panel shows it now.
    expect(toast).to_have_count(0)
