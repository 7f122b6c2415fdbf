/** The highest cost that a cell's source states, read before it runs. */

import { typedUsd } from '../words/money';

const GOVERNED = /^\s*%%governed\b[^\n]*?\s--cost(?:\s+|=)["']?([^\s"']+)/;
const SPEND =
  /^[ \t]*(?:[^\s=#%"']+[ \t]*=[ \t]*)?%governance_spend[ \t]+["']?([^\s"']+)/gm;

/** A line that costs nothing in any context: empty, a comment, or a magic that reads or sets governance. */
const FREE = /^\s*(#.*|%(load_ext|reload_ext|governance(?!_spend)\w*)\b.*)?$/;

/**
 * What a code cell states, in nano-dollars: `%%governed --cost` and `%governance_spend` with a literal amount.
 *
 * Only the text is read: no code runs, and a loop counts once. Null if the cell states nothing.
 */
export function statedCost(source: string): bigint | null {
  const amounts = [
    GOVERNED.exec(source)?.[1],
    ...Array.from(source.matchAll(SPEND), match => match[1])
  ]
    .map(text => (text === undefined ? null : typedUsd(text)))
    .filter(amount => amount !== null);
  return amounts.length === 0
    ? null
    : amounts.reduce((sum, amount) => sum + amount, 0n);
}

/** Whether a code cell certainly costs nothing. */
export function isFree(source: string): boolean {
  return source.split('\n').every(line => FREE.test(line));
}
