/** Formats dates, times and counts in the language of the page. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ITranslator } from '@jupyterlab/translation';

/** The id of the plugin in whose settings JupyterLab stores its language. */
const LANGUAGE_PLUGIN = '@jupyterlab/translation-extension:plugin';
/** The locale of JupyterLab's default language, English. */
const DEFAULT_LANGUAGE = 'en';

const CLOCK = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit'
} as const;
const DAY = { day: 'numeric', month: 'short' } as const;

/**
 * Formats dates, times and counts in one language; times are in the browser's time zone unless stated otherwise.
 *
 * Formatters are created when first used and then kept, since a table formats many values while it is scrolled.
 */
export class Notation {
  /**
   * @param locale - A BCP 47 tag; if it is undefined or invalid, the browser's language is used.
   */
  constructor(locale?: string) {
    this._locale = locale !== undefined && isTag(locale) ? locale : undefined;
  }

  /** Format a count, for example `1,234`. */
  count(number: number): string {
    return number.toLocaleString(this._locale);
  }

  /** Format a date and time to the second; `at` is in ISO 8601. */
  moment(at: string): string {
    return new Date(at).toLocaleString(this._locale);
  }

  /** Format the time of day to the minute; `at` is in milliseconds since 1970. */
  clock(at: number): string {
    this._hour ??= this._make({ hour: '2-digit', minute: '2-digit' });
    return this._hour.format(at);
  }

  /**
   * Format a time to the second; `at` is in ISO 8601. The date is left out if it is the day of `now`, in milliseconds
   * since 1970.
   */
  time(at: string, now: number): string {
    const time = new Date(at);
    const isToday = time.toDateString() === new Date(now).toDateString();
    this._clock ??= this._make(CLOCK);
    this._moment ??= this._make({ year: 'numeric', ...DAY, ...CLOCK });
    return (isToday ? this._clock : this._moment).format(time);
  }

  /** Format a day in UTC; `start` is any time of it in milliseconds since 1970. */
  day(start: number): string {
    this._day ??= this._make({ ...DAY, timeZone: 'UTC' });
    return this._day.format(start);
  }

  /** Format a date and time to the minute; `start` is in milliseconds since 1970. */
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
 * Return the locale in which the page writes dates, times, counts and amounts: that of JupyterLab's language, or
 * undefined, which means the browser's, if the user chose no language.
 *
 * @param browser - The preferred locales of the browser, the most preferred first.
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
  // JupyterLab reports English if the user chose it and if the user chose nothing; only the setting differs.
  const chosen = registry?.plugins[LANGUAGE_PLUGIN]?.data.composite.locale;
  if (chosen !== DEFAULT_LANGUAGE) {
    return undefined;
  }
  // JupyterLab's `en` has no country, but one of the browser's locales may have, such as `en-GB`.
  return browser.find(tag => tag.startsWith(`${code}-`)) ?? code;
}

function isTag(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length > 0;
  } catch {
    return false;
  }
}
