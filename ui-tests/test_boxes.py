"""Figures never overlap and are never cut: the boxes of all text are measured, by amounts, widths and languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness.application import Application
from harness.documents import write_notebook
from harness.pages import NotebookPage
from playwright.sync_api import expect

# Each text in a node that reaches beyond the node, is cut by something around it, or covers another text.
_FAULTS = """
(root) => {
  const faults = [];
  const seen = [];
  const bounds = root.getBoundingClientRect();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    const text = node.textContent.trim();
    // Names of any length end in an ellipsis; what only a screen reader hears has no place in the page.
    if (!text || parent.closest('.aumos-OneLine, .aumos-Heard, svg, table, option, [aria-hidden=true]')) {
      continue;
    }
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) {
        continue;
      }
      if (box.left < bounds.left - 1 || box.right > bounds.right + 1) {
        faults.push(`beyond the panel: ${text}`);
      }
      for (let around = parent; around !== root; around = around.parentElement) {
        const { overflowX } = getComputedStyle(around);
        const place = around.getBoundingClientRect();
        if (overflowX !== 'visible' && (box.left < place.left - 1 || box.right > place.right + 1)) {
          faults.push(`cut: ${text}`);
          break;
        }
      }
      const inner = { left: box.left + 1, right: box.right - 1, top: box.top + 2, bottom: box.bottom - 2 };
      for (const other of seen) {
        if (
          other.node !== node &&
          inner.left < other.right && other.left < inner.right && inner.top < other.bottom && other.top < inner.bottom
        ) {
          faults.push(`over each other: ${text} / ${other.node.textContent.trim()}`);
        }
      }
      seen.push({ ...inner, node });
    }
  }
  return faults;
}
"""
_NARROW = """
(width) => {
  const { shell } = window.jupyterapp;
  const panel = document.querySelector('#aumos-governance-panel');
  // As a user drags the edge of the side area.
  panel.style.maxWidth = `${width}px`;
  window.dispatchEvent(new Event('resize'));
}
"""
_TEXT = """
(factor) => {
  for (const [size, pixels] of [['0', 11], ['1', 13], ['2', 16], ['3', 19]]) {
    document.documentElement.style.setProperty(`--jp-ui-font-size${size}`, `${pixels * factor}px`);
  }
}
"""
# Budget, spent, held.
_AMOUNTS = [
    ("10", "0.05", "0"),
    ("20000", "13580.2378912", "1200.0000004"),
    ("999999999.99", "888888888.888888888", "99999999.999999999"),
    ("0.00001", "0.000001234", "0.000000001"),
]


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Application]) -> Application:
    return serve("lab", "--ServerApp.jpserver_extensions=harness.asking=True")


def _measure(application: Application, page: NotebookPage, picture: Callable[[str], None], language: str) -> None:
    found: list[str] = []
    panel = page.page.locator("#aumos-governance-panel")
    for number, (budget, spent, held) in enumerate(_AMOUNTS):
        name = write_notebook(application.root / f"boxes-{number}.ipynb", "pass")
        application.govern(name, trust_level=3, budget=budget)
        application.ask("spend", notebook=name, tool="gpt-4o-2026-audio-preview", amount=spent)
        application.ask("hold", notebook=name, tool="claude", amount=held)
        application.ask("ask", notebook=name, tool="mail", amount=spent, shown={"arguments": {"to": "all"}})
        page.open(name)
        page.command("aumos-governance:open-panel")
        expect(panel.locator(".aumos-Chart")).to_have_count(2)
        expect(panel.locator("[data-section=holds] .aumos-Money")).not_to_have_count(0)
        for width, factor in ((250, 1), (250, 2), (400, 1)):
            page.page.evaluate(_NARROW, width)
            page.page.evaluate(_TEXT, factor)
            page.page.evaluate("() => new Promise(requestAnimationFrame)")
            faults = panel.evaluate(_FAULTS)
            # The name of the level, before the dot, gives way to the figure where text is large.
            faults += [one for one in page.status.evaluate(_FAULTS) if factor == 1 or "\N{MIDDLE DOT}" not in one]
            if number == 1:
                picture(f"boxes-{language}-{width}-{factor}")
            found += [f"{budget} at {width} px, text {factor}: {fault}" for fault in faults]
        page.page.evaluate(_TEXT, 1)
    assert not found


def test_no_figure_is_cut_or_covered(lab: Application, lab_page: NotebookPage, picture: Callable[[str], None]) -> None:
    _measure(lab, lab_page, picture, "en")


def test_no_figure_is_cut_or_covered_in_german(
    german: Application, open_page: Callable[[Application], NotebookPage], picture: Callable[[str], None]
) -> None:
    _measure(german, open_page(german), picture, "de")
