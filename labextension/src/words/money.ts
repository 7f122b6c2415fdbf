/**
 * Money as the server writes it: decimal strings in USD, counted here in whole nano-dollars.
 *
 * No amount is ever a float; only the share of one amount in another is a number, for drawing.
 */

const DECIMALS = 9;
const NANO_PER_USD = 10n ** BigInt(DECIMALS);

/** The nano-dollars of a decimal string; any other string throws a `RangeError`. */
export function parseUsd(decimal: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(decimal);
  if (!match) {
    throw new RangeError(
      `"${decimal}" is no decimal amount of USD with at most ${DECIMALS} decimals.`
    );
  }
  const [, sign, whole = '', decimals = ''] = match;
  const nano = BigInt(whole + decimals.padEnd(DECIMALS, '0'));
  return sign ? -nano : nano;
}

/** How a language writes amounts: `$1,234.50`, or `1.234,50 $`. */
interface IStyle {
  readonly before: string;
  readonly after: string;
  readonly decimal: string;
  readonly whole: Intl.NumberFormat;
}

/** Made when an amount is first written: that takes a millisecond of the page's start. */
let style: () => IStyle = once(() => styleOf('en-US'));

/**
 * Set the language of all amounts; before, they are written as in the United States.
 *
 * @param locale - A BCP 47 tag; if undefined or invalid, the browser's own language is used.
 */
export function writeAmountsIn(locale: string | undefined): void {
  style = once(() => {
    try {
      return styleOf(locale);
    } catch {
      return styleOf(undefined);
    }
  });
}

function once(make: () => IStyle): () => IStyle {
  let made: IStyle | undefined;
  return () => (made ??= make());
}

function styleOf(locale: string | undefined): IStyle {
  const parts = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol'
  }).formatToParts(1.5);
  const text = (types: readonly string[], from: number, to?: number): string =>
    parts
      .slice(from, to)
      .filter(({ type }) => types.includes(type))
      .map(({ value }) => value)
      .join('');
  const around = ['currency', 'literal'];
  const first = parts.findIndex(({ type }) => type === 'integer');
  const last = parts.findIndex(({ type }) => type === 'fraction');
  return {
    before: text(around, 0, first),
    after: text(around, last + 1),
    decimal: text(['decimal'], 0) || '.',
    whole: new Intl.NumberFormat(locale, { useGrouping: true })
  };
}

/** An amount in full, with at least two decimals and never rounded: `$10.00`, `$0.0004`, `−$1,234.50`. */
export function formatUsd(amount: string | bigint): string {
  const nano = typeof amount === 'string' ? parseUsd(amount) : amount;
  const absolute = nano < 0n ? -nano : nano;
  const decimals = (absolute % NANO_PER_USD)
    .toString()
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '')
    .padEnd(2, '0');
  const { before, after, decimal, whole } = style();
  const figure = `${whole.format(absolute / NANO_PER_USD)}${decimal}${decimals}`;
  return `${nano < 0n ? '\u2212' : ''}${before}${figure}${after}`;
}

/** The most significant decimals of a short amount. */
const SIGNIFICANT = 4;

/**
 * A short amount, rounded half-even to four significant decimals: `$13,580.2379`, `$0.00001235`.
 *
 * Show the exact amount beside it, as a tooltip.
 */
export function shortUsd(amount: string | bigint): string {
  const nano = typeof amount === 'string' ? parseUsd(amount) : amount;
  const absolute = nano < 0n ? -nano : nano;
  const leading =
    absolute >= NANO_PER_USD
      ? 0
      : DECIMALS - absolute.toString().replace(/^0$/, '').length;
  const unit = 10n ** BigInt(Math.max(0, DECIMALS - SIGNIFICANT - leading));
  const rest = absolute % unit;
  const down = absolute - rest;
  const isUp =
    2n * rest > unit || (2n * rest === unit && (down / unit) % 2n === 1n);
  const rounded = isUp ? down + unit : down;
  return formatUsd(nano < 0n ? -rounded : rounded);
}

/** The largest amount that the server accepts, in nano-dollars: a billion dollars. */
export const MAX_USD = 10n ** 9n * NANO_PER_USD;

/** An amount in the format of the wire: without trailing zeros. */
export function writeUsd(nano: bigint): string {
  const decimals = (nano % NANO_PER_USD)
    .toString()
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '');
  return `${nano / NANO_PER_USD}${decimals && `.${decimals}`}`;
}

/** An amount of the wire's format as a user types it in the language of all amounts: `1.7`, or `1,7`. */
export function fieldUsd(decimal: string): string {
  return style().decimal === ',' ? decimal.replace('.', ',') : decimal;
}

/** The nano-dollars that the user typed, or null if the text is no amount, or too large. */
export function typedUsd(text: string): bigint | null {
  const match = /^\s*\$?\s*(\d{1,10}(?:\.\d{1,9})?|\.\d{1,9})\s*\$?\s*$/.exec(
    style().decimal === ',' ? text.replace(',', '.') : text
  );
  const decimal = match?.[1];
  if (decimal === undefined) {
    return null;
  }
  const nano = parseUsd(decimal.startsWith('.') ? `0${decimal}` : decimal);
  return nano > MAX_USD ? null : nano;
}

/**
 * The share of a part in a whole, from 0 to 1, for drawing only.
 *
 * 0 of 0 is 0; anything else of 0 is 1.
 */
export function share(part: bigint, whole: bigint): number {
  if (part <= 0n) {
    return 0;
  }
  return part >= whole ? 1 : Number((part * NANO_PER_USD) / whole) / 1e9;
}
