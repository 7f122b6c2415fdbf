/** Times as a person reads them. */

import type { TranslationBundle } from '@jupyterlab/translation';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const CLOCK = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit'
} as const;
// Made once: a table writes many times while it is scrolled.
const TIME = new Intl.DateTimeFormat(undefined, CLOCK);
const DATE_AND_TIME = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  ...CLOCK
});

/** How long something still lasts, roughly; nothing is left of what is over. */
export function formatLeft(
  until: string,
  now: number,
  trans: TranslationBundle
): string {
  const left = Math.max(0, Date.parse(until) - now);
  return left < 1.5 * MINUTE
    ? trans.__('%1 s left', Math.ceil(left / SECOND))
    : trans.__('%1 min left', Math.round(left / MINUTE));
}

/** A time in the reader's time zone, to the second; the date is left out where it is today's. */
export function formatTime(at: string, now: number): string {
  const time = new Date(at);
  const isToday = time.toDateString() === new Date(now).toDateString();
  return (isToday ? TIME : DATE_AND_TIME).format(time);
}
