"""The appearance of the status item and the popover: themes, contrast, accessibility."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from harness.pages import NotebookPage
from playwright.sync_api import expect

# The contrast ratio of a node's text with the colour behind it, by the formula of WCAG.
_CONTRAST = """
(node) => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  let behind = node;
  while (behind && (parse(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) {
    behind = behind.parentElement;
  }
  const luminance = (text) => {
    const [r, g, b] = parse(text).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const pair = [getComputedStyle(node).color, getComputedStyle(behind).backgroundColor].map(luminance);
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}
"""

_THEMES = ["JupyterLab Light", "JupyterLab Dark"]

# Enough to pass the last warning mark.
pytestmark = pytest.mark.parametrize("opened", ["8.5"], indirect=True)


@pytest.mark.parametrize("theme", _THEMES)
def test_text_stands_out(governed: NotebookPage, picture: Callable[[str], None], theme: str) -> None:
    governed.use_theme(theme)
    picture(f"warning-{theme.split()[1].lower()}")
    assert governed.status.locator(".aumos-StatusItem-text").evaluate(_CONTRAST) >= 4.5
    governed.status.click()
    texts = governed.popover.locator("h2, p, dt, dd")
    expect(texts.first).to_be_visible()
    assert texts.count() > 10
    assert min(text.evaluate(_CONTRAST) for text in texts.all()) >= 4.5


def test_the_bar_takes_its_colours_from_the_theme(governed: NotebookPage) -> None:
    spent = governed.bar.locator(".aumos-BudgetBar-spent")
    colours = []
    for theme in _THEMES:
        governed.use_theme(theme)
        colours.append(governed.colour(spent))
        assert colours[-1] == governed.variable("--jp-warn-color0")
    assert colours[0] != colours[1]


@pytest.mark.parametrize("theme", _THEMES)
def test_axe_finds_nothing(governed: NotebookPage, theme: str) -> None:
    governed.use_theme(theme)
    governed.status.click()
    found = Axe().run(governed.page, context={"include": [[".aumos-StatusItem"], [".aumos-Popover"]]})
    assert found.violations_count == 0, found.generate_report()


def test_it_is_named_for_a_screen_reader(governed: NotebookPage) -> None:
    governed.page.get_by_role("button", name="L2 Suggest · $1.50 left. At least 80% of the budget is spent.").focus()


def test_motion_is_reduced_where_that_is_wished(governed: NotebookPage) -> None:
    spent = governed.bar.locator(".aumos-BudgetBar-spent")
    duration = "(node) => getComputedStyle(node).transitionDuration"
    assert spent.evaluate(duration) != "0s"
    governed.page.emulate_media(reduced_motion="reduce")
    assert spent.evaluate(duration) == "0s"
    governed.page.emulate_media(reduced_motion="no-preference")
