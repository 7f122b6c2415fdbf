import type React from 'react';

/**
 * Move the focus from an input line to the primary button of its form, for the Enter key.
 *
 * The key only moves to the button and decides nothing yet. It does nothing while the button is disabled.
 */
export function leadToButton(event: React.KeyboardEvent<HTMLElement>): void {
  const button = event.currentTarget.querySelector<HTMLElement>(
    'button[data-kind=primary]'
  );
  if (
    event.key === 'Enter' &&
    event.target instanceof HTMLInputElement &&
    button?.getAttribute('aria-disabled') === 'false'
  ) {
    event.preventDefault();
    button.focus();
  }
}

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
