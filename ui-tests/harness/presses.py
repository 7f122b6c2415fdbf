"""Clicks and keys made by code in the page, and a count of the user's own presses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from playwright.sync_api import Page

# All ways in which code in the page can try to press a control; none of them is a user's input.
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

# Counts each press of a mouse button, and each key that does not type into a field.
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
    """Counts the presses of a user's tasks, as events in the page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.of: dict[str, int] = {}
        page.evaluate(_COUNTING)

    @contextlib.contextmanager
    def task(self, name: str) -> Iterator[None]:
        self._page.evaluate("() => { window.presses = 0; }")
        yield
        self.of[name] = self._page.evaluate("() => window.presses")
