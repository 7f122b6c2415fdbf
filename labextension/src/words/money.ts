/**
 * Converts and formats money. The server sends decimal strings in USD; here amounts are bigints of nano-dollars.
 *
 * No amount is ever a floating-point number; only `share`, a ratio for drawing, returns one.
 */

const DECIMALS = 9;
const NANO_PER_USD = 10n ** BigInt(DECIMALS);

/**
 * Convert a decimal string in USD to nano-dollars. Throws a `RangeError` if it is no amount with at most nine decimals.
 */
export function parseUsd(decimal: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(decimal);
  if (!match) {
    throw new RangeError(
      `"${decimal}" is not an amount in USD with at most ${DECIMALS} decimals.`
    );
  }
  const [, sign, whole = '', decimals = ''] = match;
  const nano = BigInt(whole + decimals.padEnd(DECIMALS, '0'));
  return sign ? -nano : nano;
}

/** How a language writes amounts, for example `$1,234.50` or `1.234,50 $`. */
interface IStyle {
  readonly before: string;
  readonly after: string;
  readonly decimal: string;
  readonly whole: Intl.NumberFormat;
}

/**
 * Returns the style in use. It is created when the first amount is formatted, since that takes a millisecond of which
 * JupyterLab's start is spared.
 */
let style: () => IStyle = once(() => styleOf('en-US'));

/**
 * Set the language in which all amounts are formatted; before the first call it is US English.
 *
 * @param locale - A BCP 47 tag; if it is undefined or invalid, the browser's language is used.
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

/** Format an amount exactly, with at least two decimals: `$10.00`, `$0.0004`, `−$1,234.50`. */
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

/** How many significant decimals a rounded amount has at most. */
const SIGNIFICANT = 4;

/**
 * Format an amount, rounded half-even to four significant decimals: `$13,580.2379`, `$0.00001235`.
 *
 * A caller must also show the exact amount, for example as a tooltip.
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

/** Convert nano-dollars to a decimal string in USD without trailing zeros, as the server expects it. */
export function writeUsd(nano: bigint): string {
  const decimals = (nano % NANO_PER_USD)
    .toString()
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '');
  return `${nano / NANO_PER_USD}${decimals && `.${decimals}`}`;
}

/** Convert a decimal string in USD to the text of an input field in the user's language, for example `1.7` or `1,7`. */
export function fieldUsd(decimal: string): string {
  return style().decimal === ',' ? decimal.replace('.', ',') : decimal;
}

/** Convert what the user typed in an input field to nano-dollars; null if it is no amount, or above {@link MAX_USD}. */
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
 * Return which share of the whole a part is, from 0 to 1, for drawing only. If the whole is 0, the share is 0 for no
 * part and 1 for any other.
 */
export function share(part: bigint, whole: bigint): number {
  if (part <= 0n) {
    return 0;
  }
  return part >= whole ? 1 : Number((part * NANO_PER_USD) / whole) / 1e9;
}
