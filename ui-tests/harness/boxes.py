"""Checks of a page: whether any text is cut or covers other text, and whether axe finds faults."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

# Lists each text in a node that reaches beyond the node, is cut by an element around it, or covers another text.
FAULTS = """
(root) => {
  const faults = [];
  const seen = [];
  const bounds = root.getBoundingClientRect();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    const text = node.textContent.trim();
    // Left out: names that end in an ellipsis if they are long, and text for screen readers only.
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
NARROW = """
(width) => {
  const { shell } = window.jupyterapp;
  const panel = document.querySelector('#aumos-governance-panel');
  // As if a user dragged the edge of the side area.
  panel.style.maxWidth = `${width}px`;
  window.dispatchEvent(new Event('resize'));
}
"""
TEXT = """
(factor) => {
  for (const [size, pixels] of [['0', 11], ['1', 13], ['2', 16], ['3', 19]]) {
    document.documentElement.style.setProperty(`--jp-ui-font-size${size}`, `${pixels * factor}px`);
  }
}
"""


def faults(root: Locator) -> list[str]:
    """Return the faults of the texts in a node, after its next rendering; empty if there are none."""
    root.page.evaluate("() => new Promise(requestAnimationFrame)")
    found: list[str] = root.evaluate(FAULTS)
    return found


def axe_finds_nothing(page: Page, *selectors: str) -> None:
    found = Axe().run(page, context={"include": [[one] for one in selectors]})
    assert found.violations_count == 0, found.generate_report()
