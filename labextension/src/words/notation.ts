/** Dates, times and counts, as the language of the page writes them. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ITranslator } from '@jupyterlab/translation';

/** The key under which JupyterLab stores its language. */
const LANGUAGE_PLUGIN = '@jupyterlab/translation-extension:plugin';
/** JupyterLab's value for its default language, English. */
const DEFAULT_LANGUAGE = 'en';

const CLOCK = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit'
} as const;
const DAY = { day: 'numeric', month: 'short' } as const;

/**
 * How dates, times and counts are written; times are in the reader's time zone.
 *
 * Formatters are made on first use and kept: a table formats many values while it is scrolled.
 */
export class Notation {
  /**
   * @param locale - A BCP 47 tag; if undefined or invalid, the browser's own language is used.
   */
  constructor(locale?: string) {
    this._locale = locale !== undefined && isTag(locale) ? locale : undefined;
  }

  /** A count. */
  count(number: number): string {
    return number.toLocaleString(this._locale);
  }

  /** A date and time, to the second. */
  moment(at: string): string {
    return new Date(at).toLocaleString(this._locale);
  }

  /** A time of day to the minute, of a time in milliseconds. */
  clock(at: number): string {
    this._hour ??= this._make({ hour: '2-digit', minute: '2-digit' });
    return this._hour.format(at);
  }

  /** A time to the second; the date is omitted if it is that of `now`, in milliseconds. */
  time(at: string, now: number): string {
    const time = new Date(at);
    const isToday = time.toDateString() === new Date(now).toDateString();
    this._clock ??= this._make(CLOCK);
    this._moment ??= this._make({ year: 'numeric', ...DAY, ...CLOCK });
    return (isToday ? this._clock : this._moment).format(time);
  }

  /** A day, given by its start in milliseconds, in UTC. */
  day(start: number): string {
    this._day ??= this._make({ ...DAY, timeZone: 'UTC' });
    return this._day.format(start);
  }

  /** A date and time to the minute, given in milliseconds. */
  minute(start: number): string {
    this._minute ??= this._make({ ...DAY, hour: '2-digit', minute: '2-digit' });
    return this._minute.format(start);
  }

  private _make(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    return new Intl.DateTimeFormat(this._locale, options);
  }

  private readonly _locale: string | undefined;
  private _clock: Intl.DateTimeFormat | undefined;
  private _hour: Intl.DateTimeFormat | undefined;
  private _moment: Intl.DateTimeFormat | undefined;
  private _day: Intl.DateTimeFormat | undefined;
  private _minute: Intl.DateTimeFormat | undefined;
}

/**
 * The locale of JupyterLab's language; undefined, for the browser's, if no language was chosen.
 *
 * @param browser - The preferred locales of the browser, best first.
 */
export function shownLocale(
  translator: ITranslator | null,
  registry: Pick<ISettingRegistry, 'plugins'> | null,
  browser: readonly string[] = navigator.languages
): string | undefined {
  const code = translator?.languageCode.replaceAll('_', '-');
  if (code !== DEFAULT_LANGUAGE) {
    return code;
  }
  // JupyterLab reports English both if it was chosen and by default.
  const chosen = registry?.plugins[LANGUAGE_PLUGIN]?.data.composite.locale;
  if (chosen !== DEFAULT_LANGUAGE) {
    return undefined;
  }
  // JupyterLab's language has no country, but one of the browser's locales may have.
  return browser.find(tag => tag.startsWith(`${code}-`)) ?? code;
}

function isTag(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length > 0;
  } catch {
    return false;
  }
}
