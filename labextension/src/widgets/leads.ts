/**
 * Move the focus from a card that is about to disappear to the next one, or to the section's title.
 *
 * Never to a button of the next card: a repeated key must decide nothing.
 */
export function leadOn(card: HTMLElement | null): void {
  if (!card?.contains(document.activeElement)) {
    return;
  }
  follower(card)?.focus();
}

/** The focus target once a card is gone: the next card, or the section's title, and never a button of a card. */
export function follower(card: HTMLElement | null): HTMLElement | null {
  const next =
    card?.nextElementSibling ??
    card?.previousElementSibling ??
    card?.closest('.aumos-Section')?.querySelector('.aumos-Section-title');
  return next instanceof HTMLElement ? next : null;
}
