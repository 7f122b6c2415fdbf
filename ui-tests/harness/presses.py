"""What code in a page can do to a control, and a user does not do."""

from __future__ import annotations

# Whatever code in the page can do to a node; none of it is a person's doing.
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
