/** What a person does in the page, as opposed to what code in it does. */

/** A press that the browser vouches for: jsdom makes none, so the event is marked on its way. */
export function personPresses(node: Element): void {
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
