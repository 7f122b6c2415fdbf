/**
 * Money as the server writes it: decimal strings in USD, counted here in whole nano-dollars.
 *
 * No float ever holds an amount; only the share of one amount in another is a number, to draw with.
 */

const DECIMALS = 9;
const NANO_PER_USD = 10n ** BigInt(DECIMALS);

/** The nano-dollars of a decimal string; a string that is none throws a `RangeError`. */
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

/** An amount to read, with at least two decimals and never rounded: `$10.00`, `$0.0004`. */
export function formatUsd(amount: string | bigint): string {
  const nano = typeof amount === 'string' ? parseUsd(amount) : amount;
  const absolute = nano < 0n ? -nano : nano;
  const decimals = (absolute % NANO_PER_USD)
    .toString()
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '')
    .padEnd(2, '0');
  return `${nano < 0n ? '-' : ''}$${absolute / NANO_PER_USD}.${decimals}`;
}

/** The largest amount that the server takes, in nano-dollars: a billion dollars. */
export const MAX_USD = 10n ** 9n * NANO_PER_USD;

/** An amount as it travels: without needless decimals. */
export function writeUsd(nano: bigint): string {
  const decimals = (nano % NANO_PER_USD)
    .toString()
    .padStart(DECIMALS, '0')
    .replace(/0+$/, '');
  return `${nano / NANO_PER_USD}${decimals && `.${decimals}`}`;
}

/** What a person typed for an amount in nano-dollars, or null where it is none, or too large. */
export function typedUsd(text: string): bigint | null {
  const match = /^\s*\$?\s*(\d{1,10}(?:\.\d{1,9})?|\.\d{1,9})\s*$/.exec(text);
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
 * Nothing of nothing is 0; something of nothing is 1.
 */
export function share(part: bigint, whole: bigint): number {
  if (part <= 0n) {
    return 0;
  }
  return part >= whole ? 1 : Number((part * NANO_PER_USD) / whole) / 1e9;
}
