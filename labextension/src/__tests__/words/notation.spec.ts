import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { nullTranslator, type ITranslator } from '@jupyterlab/translation';
import { Notation, shownLocale } from '../../words/notation';

// On the same day in every time zone.
const NOON = '2026-03-02T12:00:00.000000Z';
const DAY_AFTER = Date.parse(NOON) + 86_400_000;

describe('Notation', () => {
  it.each([
    ['de', '1.234', '2. März', '2. März 2026', '2.3.2026'],
    ['en', '1,234', 'Mar 2', 'Mar 2, 2026', '3/2/2026'],
    ['en-GB', '1,234', '2 Mar', '2 Mar 2026', '02/03/2026']
  ])('writes as %s does', (locale, count, day, time, moment) => {
    const notation = new Notation(locale);
    expect(notation.count(1234)).toBe(count);
    expect(notation.day(Date.parse(NOON))).toBe(day);
    expect(notation.minute(Date.parse(NOON))).toContain(day);
    expect(notation.time(NOON, DAY_AFTER)).toContain(time);
    expect(notation.time(NOON, Date.parse(NOON))).toMatch(/^[\d:]+( [AP]M)?$/);
    expect(notation.moment(NOON)).toContain(moment);
  });

  it.each([undefined, 'no tag'])('of %j writes as the browser does', tag => {
    expect(new Notation(tag).moment(NOON)).toBe(
      new Date(NOON).toLocaleString()
    );
  });
});

describe('shownLocale', () => {
  const shownIn = (languageCode: string): ITranslator =>
    Object.create(nullTranslator, {
      languageCode: { value: languageCode }
    }) as ITranslator;
  const choice = (locale: string): Pick<ISettingRegistry, 'plugins'> =>
    ({
      plugins: {
        '@jupyterlab/translation-extension:plugin': {
          data: { composite: { locale } }
        }
      }
    }) as never;
  const BROWSER = ['fr-FR', 'en-GB', 'en-US'];

  it.each([
    ['the language that was chosen', 'de-DE', 'de_DE', 'de-DE'],
    ["the server's, where none was chosen", 'de-DE', 'default', 'de-DE'],
    ['a tag', 'zh-Hant_TW', 'zh_Hant_TW', 'zh-Hant-TW'],
    ['the English of the reader', 'en', 'en', 'en-GB'],
    ["the browser's, where none was chosen", 'en', 'default', undefined]
  ])('is %s', (_, languageCode, chosen, expected) => {
    const translator = shownIn(languageCode);
    expect(shownLocale(translator, choice(chosen), BROWSER)).toBe(expected);
  });

  it('is English for readers of other languages', () => {
    expect(shownLocale(shownIn('en'), choice('en'), ['fr'])).toBe('en');
  });

  it('needs neither translator nor settings', () => {
    expect(shownLocale(null, null)).toBeUndefined();
    expect(shownLocale(shownIn('en'), null)).toBeUndefined();
    expect(shownLocale(shownIn('de-DE'), null)).toBe('de-DE');
  });
});
