/** Finds the amounts that a cell's source states in governance magics, without running the cell. */

import { typedUsd } from '../words/money';

const GOVERNED = /^\s*%%governed\b[^\n]*?\s--cost(?:\s+|=)["']?([^\s"']+)/;
const SPEND =
  /^[ \t]*(?:[^\s=#%"']+[ \t]*=[ \t]*)?%governance_spend[ \t]+["']?([^\s"']+)/gm;

/**
 * Matches a line that certainly costs nothing: empty, a comment, or a governance magic other than `%governance_spend`.
 */
const FREE = /^\s*(#.*|%(load_ext|reload_ext|governance(?!_spend)\w*)\b.*)?$/;

/**
 * Return the sum of the literal amounts in a code cell's `%%governed --cost` and `%governance_spend`, in nano-dollars;
 * null if there is none.
 *
 * No code runs, so an amount in a loop counts once.
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

/** Whether every line of a code cell certainly costs nothing. */
export function isFree(source: string): boolean {
  return source.split('\n').every(line => FREE.test(line));
}
