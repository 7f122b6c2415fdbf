import type React from 'react';

/**
 * Handle a key in a form: Enter in an input field moves the focus to the form's primary button, unless that is
 * disabled.
 *
 * Enter does not press the button, so that the user decides nothing by mistake.
 */
export function focusPrimaryButton(
  event: React.KeyboardEvent<HTMLElement>
): void {
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
 * Move the focus from a card that is about to disappear to what {@link nextFocus} returns; do nothing if the card does
 * not have the focus.
 *
 * The focus goes to no button of another card, so that a key that is held down decides nothing.
 */
export function focusNext(card: HTMLElement | null): void {
  if (!card?.contains(document.activeElement)) {
    return;
  }
  nextFocus(card)?.focus();
}

/**
 * Return the element that gets the focus when a card disappears: the next card, else the previous card, else the title
 * of the section.
 */
export function nextFocus(card: HTMLElement | null): HTMLElement | null {
  const next =
    card?.nextElementSibling ??
    card?.previousElementSibling ??
    card?.closest('.aumos-Section')?.querySelector('.aumos-Section-title');
  return next instanceof HTMLElement ? next : null;
}
