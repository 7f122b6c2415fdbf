/** A user's input in the page, as opposed to events made by code. */

/** A trusted click: jsdom makes none, so the event is marked as trusted on its way. */
export function userPresses(node: Element): void {
  const event = new MouseEvent('click', { bubbles: true, cancelable: true });
  const vouch = (): void => {
    for (const symbol of Object.getOwnPropertySymbols(event)) {
      const inner = (event as unknown as Record<symbol, unknown>)[symbol];
      if (typeof inner === 'object' && inner !== null && 'isTrusted' in inner) {
        inner.isTrusted = true;
      }
    }
  };
  window.addEventListener('click', vouch, { capture: true, once: true });
  node.dispatchEvent(event);
}
