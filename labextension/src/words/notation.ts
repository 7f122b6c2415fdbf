/** Formats dates, times and counts in the language of the page. */

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
 * Formats dates, times and counts; times are in the browser's time zone unless stated otherwise.
 *
 * Formatters are created on first use and kept: a table formats many values while it is scrolled.
 */
export class Notation {
  /**
   * @param locale - A BCP 47 tag; if undefined or invalid, the browser's own language is used.
   */
  constructor(locale?: string) {
    this._locale = locale !== undefined && isTag(locale) ? locale : undefined;
  }

  /** Format a count. */
  count(number: number): string {
    return number.toLocaleString(this._locale);
  }

  /** Format a date and time to the second, given in ISO 8601. */
  moment(at: string): string {
    return new Date(at).toLocaleString(this._locale);
  }

  /** Format the time of day to the minute, of a time in milliseconds. */
  clock(at: number): string {
    this._hour ??= this._make({ hour: '2-digit', minute: '2-digit' });
    return this._hour.format(at);
  }

  /** Format a time in ISO 8601 to the second, with its date unless it is the day of `now`, in milliseconds. */
  time(at: string, now: number): string {
    const time = new Date(at);
    const isToday = time.toDateString() === new Date(now).toDateString();
    this._clock ??= this._make(CLOCK);
    this._moment ??= this._make({ year: 'numeric', ...DAY, ...CLOCK });
    return (isToday ? this._clock : this._moment).format(time);
  }

  /** Format a day in UTC, given by its start in milliseconds. */
  day(start: number): string {
    this._day ??= this._make({ ...DAY, timeZone: 'UTC' });
    return this._day.format(start);
  }

  /** Format a date and time to the minute, given in milliseconds. */
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
 * Return the locale for JupyterLab's language; undefined, which means the browser's, if the user chose no language.
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
