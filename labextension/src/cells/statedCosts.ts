/** What a cell says it will cost at most, read before it is run. */

import { typedUsd } from '../words/money';

const GOVERNED = /^\s*%%governed\b[^\n]*?\s--cost(?:\s+|=)["']?([^\s"']+)/;
const SPEND = /^[ \t]*%governance_spend[ \t]+["']?([^\s"']+)/gm;

/** A line that costs nothing, whatever surrounds it: empty, a comment, or a magic that reads or sets governance. */
const FREE = /^\s*(#.*|%(load_ext|reload_ext|governance(?!_spend)\w*)\b.*)?$/;

/**
 * What a code cell states, in nano-dollars: `%%governed --cost` and `%governance_spend` with a literal amount.
 *
 * It is plain arithmetic over what is written: nothing is run, and a loop counts once. Null where it states nothing.
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

/** Whether nothing in a code cell can cost anything. */
export function isFree(source: string): boolean {
  return source.split('\n').every(line => FREE.test(line));
}
