"""What code in a page can do to a control, and a user does not do; and how often a user presses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Page

# All that code in the page can do to a node; none of it is a user's input.
PRESS_BY_CODE = """
(node) => {
  const options = { bubbles: true, cancelable: true, composed: true, view: window, detail: 1 };
  node.click();
  for (const type of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click', 'dblclick']) {
    node.dispatchEvent(new (type.startsWith('pointer') ? PointerEvent : MouseEvent)(type, options));
  }
  for (const key of ['Enter', ' ']) {
    for (const type of ['keydown', 'keypress', 'keyup']) {
      node.focus();
      node.dispatchEvent(new KeyboardEvent(type, { ...options, key, code: key === ' ' ? 'Space' : key }));
    }
  }
  node.id ||= `pressed-${Math.random()}`;
  const label = document.body.appendChild(document.createElement('label'));
  label.htmlFor = node.id;
  label.click();
  label.remove();
  const form = document.createElement('form');
  form.addEventListener('submit', (event) => event.preventDefault());
  node.replaceWith(form);
  form.append(node);
  form.requestSubmit();
  form.replaceWith(node);
  for (const handlers of Object.entries(node).filter(([name]) => name.startsWith('__reactProps'))) {
    for (const [name, handler] of Object.entries(handlers[1])) {
      if (name.startsWith('on')) {
        handler({ nativeEvent: { isTrusted: true }, isTrusted: true, preventDefault() {}, stopPropagation() {} });
      }
    }
  }
}
"""

# Counts what the hand does: each press of a button of the mouse, and each key that writes nothing into a field.
_COUNTING = """
() => {
  window.presses = 0;
  const isTyped = ({ key, target }) => key.length === 1 && target.matches('input, textarea, [contenteditable=true]');
  const isHeld = ({ key, repeat }) => repeat || ['Alt', 'Control', 'Meta', 'Shift'].includes(key);
  const count = (event) => {
    if (event.isTrusted && (event.type === 'pointerdown' || !(isTyped(event) || isHeld(event)))) {
      window.presses += 1;
    }
  };
  window.addEventListener('pointerdown', count, true);
  window.addEventListener('keydown', count, true);
}
"""


class Presses:
    """How many presses each of a user's tasks takes, as the page itself sees them."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.of: dict[str, int] = {}
        page.evaluate(_COUNTING)

    @contextlib.contextmanager
    def task(self, name: str) -> Iterator[None]:
        self._page.evaluate("() => { window.presses = 0; }")
        yield
        self.of[name] = self._page.evaluate("() => window.presses")
