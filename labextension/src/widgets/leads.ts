/**
 * Lead the focus from a card that is about to go to the next one, or to the section's title.
 *
 * It never leads to a button of the next card: a key that is pressed once more must decide nothing.
 */
export function leadOn(card: HTMLElement | null): void {
  if (!card?.contains(document.activeElement)) {
    return;
  }
  const next =
    card.nextElementSibling ??
    card.previousElementSibling ??
    card.closest('.aumos-Section')?.querySelector('.aumos-Section-title');
  if (next instanceof HTMLElement) {
    next.focus();
  }
}
