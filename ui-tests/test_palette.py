"""The command palette finds the commands by the words that users type, and shows their shortcuts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import Locator, expect

_WORDS = {
    "approve": "Approve or Deny Waiting Requests",
    "cost": "Show Cost and Spending",
    "spend": "Raise or Lower the Budget (Spending Limit)",
    "limit": "Raise or Lower the Budget (Spending Limit)",
    "stop": "Stop Governing This Notebook",
}
_KEYS = {
    "Show Governance Panel": "P",
    "Approve or Deny Waiting Requests": "A",
    "Raise or Lower the Budget (Spending Limit)": "B",
    "Change the Trust Level": "T",
    "Show Cost and Spending": "S",
    "Show Pending Holds": "H",
    "Stop Governing This Notebook": "C",
    "Open Audit Record": "O",
    "Show What Was Denied Today": "D",
    "Export the Audit Record (CSV)": "E",
}


@pytest.fixture
def page(lab_page: NotebookPage, lab: Application) -> NotebookPage:
    lab_page.open(write_notebook(lab.root / "palette.ipynb", "%governance --budget 10"))
    lab_page.run_all()
    lab_page.shows("$10.00 left")
    return lab_page


def search(page: NotebookPage, word: str) -> Locator:
    """Return the labels that the palette lists for a word, best match first."""
    page.command("apputils:activate-command-palette")
    page.page.locator(".lm-CommandPalette-input").fill(word)
    return page.page.locator(".lm-CommandPalette-item")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_words_that_users_type(page: NotebookPage, picture: Callable[[str], None], theme: str) -> None:
    page.use_theme(theme)
    for word, label in _WORDS.items():
        items = search(page, word)
        found = items.filter(has_text=label)
        expect(found).to_have_count(1)
        place = items.all_inner_texts().index(found.inner_text())
        # Disabled commands are listed after enabled ones.
        assert word == "approve" or place < 5, (word, place)
        page.page.keyboard.press("Escape")
    search(page, "governance")
    picture(f"palette-{theme.split()[1].lower()}")


def test_each_key_is_shown(page: NotebookPage) -> None:
    items = search(page, "governance")
    for label, key in _KEYS.items():
        expect(items.filter(has_text=label).locator(".lm-CommandPalette-itemShortcut")).to_have_text(f"Alt+G, {key}")


def test_only_what_applies_is_enabled(page: NotebookPage) -> None:
    items = search(page, "governance")
    for label, is_enabled in {
        "Start Governing This Notebook": False,
        "Approve or Deny Waiting Requests": False,
        "Review Reported Actions": False,
        "Stop Governing This Notebook": True,
        "Show All Governed Notebooks": True,
    }.items():
        found = items.filter(has_text=label)
        expect(found).to_have_count(1)
        expect(found.and_(page.page.locator(".lm-mod-disabled"))).to_have_count(0 if is_enabled else 1)


def test_what_is_found_leads_to_its_control(page: NotebookPage) -> None:
    search(page, "limit")
    page.page.locator(".lm-CommandPalette-item", has_text="Spending Limit").click()
    panel = page.page.locator("#aumos-governance-panel")
    expect(panel.locator("[data-section=budget] :focus")).to_have_count(1)
