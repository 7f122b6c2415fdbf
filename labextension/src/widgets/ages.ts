import type { TranslationBundle } from '@jupyterlab/translation';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Return how long ago a time was, for example "5 min ago".
 *
 * @param at - The time, in ISO 8601.
 * @param now - The current time in milliseconds since 1970, as of `Date.now()`.
 */
export function formatAge(
  at: string,
  now: number,
  trans: TranslationBundle
): string {
  // The server's clock may be a little ahead of the browser's.
  const age = Math.max(0, now - Date.parse(at));
  if (age < MINUTE) {
    return trans.__('just now');
  }
  if (age < HOUR) {
    return trans.__('%1 min ago', Math.floor(age / MINUTE));
  }
  if (age < DAY) {
    return trans.__('%1 h ago', Math.floor(age / HOUR));
  }
  const days = Math.floor(age / DAY);
  return trans._n('%1 day ago', '%1 days ago', days, days);
}

/**
 * Return how long it is until a time, for example "5 min left": in seconds for the last 90 seconds, else in minutes.
 */
export function formatLeft(
  until: string,
  now: number,
  trans: TranslationBundle
): string {
  const left = Math.max(0, Date.parse(until) - now);
  if (left === 0) {
    return trans.__('time is up');
  }
  return left < 1.5 * MINUTE
    ? trans.__('%1 s left', Math.ceil(left / SECOND))
    : trans.__('%1 min left', Math.round(left / MINUTE));
}
