/** Dates, times and counts, as the language of the page writes them. */

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ITranslator } from '@jupyterlab/translation';

/** Where JupyterLab keeps which language it is shown in. */
const LANGUAGE_PLUGIN = '@jupyterlab/translation-extension:plugin';
/** What JupyterLab is shown in where there is no other language to show it in. */
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
 * Its formatters are made when they are first used, and once: a table writes many times while it is scrolled.
 */
export class Notation {
  /**
   * @param locale - A BCP 47 tag; undefined, or one that is none, for the browser's own language.
   */
  constructor(locale?: string) {
    this._locale = locale !== undefined && isTag(locale) ? locale : undefined;
  }

  /** A number of things. */
  count(number: number): string {
    return number.toLocaleString(this._locale);
  }

  /** A moment in full, to the second. */
  moment(at: string): string {
    return new Date(at).toLocaleString(this._locale);
  }

  /** A time of the day to the minute, of a moment in milliseconds. */
  clock(at: number): string {
    this._hour ??= this._make({ hour: '2-digit', minute: '2-digit' });
    return this._hour.format(at);
  }

  /** A moment to the second; the date is left out where it is that of `now`, in milliseconds. */
  time(at: string, now: number): string {
    const time = new Date(at);
    const isToday = time.toDateString() === new Date(now).toDateString();
    this._clock ??= this._make(CLOCK);
    this._moment ??= this._make({ year: 'numeric', ...DAY, ...CLOCK });
    return (isToday ? this._clock : this._moment).format(time);
  }

  /** A day of the year that began at a time in milliseconds, in UTC. */
  day(start: number): string {
    this._day ??= this._make({ ...DAY, timeZone: 'UTC' });
    return this._day.format(start);
  }

  /** A minute of the year that began at a time in milliseconds. */
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
 * The locale of the language that JupyterLab is shown in; undefined, for the browser's, where nobody chose one.
 *
 * @param browser - The locales that the browser's user reads, the best first.
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
  // English is what it says it is shown in both where English was chosen and where nothing was.
  const chosen = registry?.plugins[LANGUAGE_PLUGIN]?.data.composite.locale;
  if (chosen !== DEFAULT_LANGUAGE) {
    return undefined;
  }
  // It names no country, but the reader may have one.
  return browser.find(tag => tag.startsWith(`${code}-`)) ?? code;
}

function isTag(locale: string): boolean {
  try {
    return Intl.getCanonicalLocales(locale).length > 0;
  } catch {
    return false;
  }
}
