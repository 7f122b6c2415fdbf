"""The popover of the status item, used by keyboard and by mouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.application import Application
from harness.documents import GOVERNED
from harness.pages import NotebookPage
from playwright.sync_api import expect

pytestmark = pytest.mark.parametrize("opened", ["6"], indirect=True)


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_opens_and_closes_it(governed: NotebookPage, key: str) -> None:
    governed.status.focus()
    governed.page.keyboard.press(key)
    expect(governed.popover).to_be_focused()
    expect(governed.status).to_have_attribute("aria-expanded", "true")
    governed.page.keyboard.press("Escape")
    expect(governed.popover).to_have_count(0)
    expect(governed.status).to_be_focused()
    expect(governed.status).to_have_attribute("aria-expanded", "false")


def test_tab_goes_on_from_the_item(governed: NotebookPage) -> None:
    governed.status.focus()
    governed.page.keyboard.press("Enter")
    expect(governed.popover).to_be_focused()
    governed.page.keyboard.press("Shift+Tab")
    expect(governed.popover).to_have_count(0)
    expect(governed.status).not_to_be_focused()
    governed.page.keyboard.press("Tab")
    expect(governed.status).to_be_focused()


def test_the_keyboard_reaches_the_item(governed: NotebookPage) -> None:
    page = governed.page
    governed.cell(0).locator(".cm-content").click()
    page.keyboard.press("Escape")
    for _ in range(60):
        page.keyboard.press("Tab")
        if governed.status.evaluate("(node) => node === document.activeElement"):
            break
    expect(governed.status).to_be_focused()
    assert governed.status.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"


def test_it_lists_the_figures_and_follows_them(governed: NotebookPage, lab: Application) -> None:
    governed.status.click()
    figures = governed.popover.locator("dd")
    expect(figures).to_have_text(["L2 Suggest", "$10.00", "$6.00", "$0.00", "$4.00", "the notebook", "agent-7"])
    lab.govern(GOVERNED, budget="8")
    expect(figures.nth(1)).to_have_text("$8.00")
    expect(figures.nth(4)).to_have_text("$2.00")
    assert figures.nth(5).inner_text() != "the notebook"


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_it_stands_above_the_item_within_the_page(
    governed: NotebookPage, picture: Callable[[str], None], theme: str
) -> None:
    governed.use_theme(theme)
    governed.status.click()
    picture(f"popover-{theme.split()[1].lower()}")
    box, item = governed.popover.bounding_box(), governed.status.bounding_box()
    assert box
    assert item
    assert box["y"] >= 0
    assert box["y"] + box["height"] == pytest.approx(item["y"], abs=2)
    assert box["x"] == pytest.approx(item["x"], abs=2)


def test_a_click_elsewhere_closes_it(governed: NotebookPage) -> None:
    governed.status.click()
    expect(governed.popover).to_be_visible()
    governed.cell(0).click()
    expect(governed.popover).to_have_count(0)


def test_text_of_unknown_origin_is_text(governed: NotebookPage, lab: Application) -> None:
    evil = "<img src=x onerror='window.hit=1'>\u202e" + "agent" * 30
    lab.govern(GOVERNED, agent_id=evil)
    governed.status.click()
    agent = governed.popover.locator("dd").last
    expect(agent).to_contain_text("<img src=x")
    assert governed.page.evaluate("() => 'hit' in window") is False
    box, whole = agent.bounding_box(), governed.popover.bounding_box()
    assert box
    assert whole
    assert box["x"] + box["width"] <= whole["x"] + whole["width"]
    assert box["height"] < 30
