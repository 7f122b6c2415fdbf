import type React from 'react';

/**
 * Handle a key in a form: Enter in an input field moves the focus to the primary button, unless that is disabled.
 *
 * Enter does not press the button, so that it decides nothing by mistake.
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
 * If a card that is about to disappear has the focus, move the focus to the next card, or to the section's title.
 *
 * It does not go to a button of the next card: a key that is held down must decide nothing.
 */
export function focusNext(card: HTMLElement | null): void {
  if (!card?.contains(document.activeElement)) {
    return;
  }
  nextFocus(card)?.focus();
}

/**
 * Return what gets the focus when a card disappears: the next card, else the previous one, else the section's title.
 */
export function nextFocus(card: HTMLElement | null): HTMLElement | null {
  const next =
    card?.nextElementSibling ??
    card?.previousElementSibling ??
    card?.closest('.aumos-Section')?.querySelector('.aumos-Section-title');
  return next instanceof HTMLElement ? next : null;
}
