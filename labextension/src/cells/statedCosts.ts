/** What cells say they will cost at most, added up before they are run. */

import { typedUsd } from '../words/money';

/** A cell, as far as its stated cost goes. */
export interface ISource {
  readonly source: string;
  readonly isCode: boolean;
}

/** What some cells state. */
export interface IStatedCosts {
  /** The sum of all that is stated, in nano-dollars. */
  readonly total: bigint;
  /** The cells that state a cost, by their number from 1. */
  readonly stated: readonly { readonly cell: number; readonly cost: bigint }[];
  /** The numbers of the code cells that state none; what they cost is not known. */
  readonly unstated: readonly number[];
}

const GOVERNED = /^\s*%%governed\b[^\n]*?\s--cost(?:\s+|=)["']?([^\s"']+)/;
const SPEND = /^[ \t]*%governance_spend[ \t]+["']?([^\s"']+)/gm;

/**
 * Add up what cells state: `%%governed --cost` and `%governance_spend` with a literal amount.
 *
 * It is plain arithmetic over what is written: nothing is run, and a loop counts once.
 */
export function statedCosts(cells: readonly ISource[]): IStatedCosts {
  const stated: { cell: number; cost: bigint }[] = [];
  const unstated: number[] = [];
  cells.forEach(({ source, isCode }, index) => {
    if (!isCode || source.trim() === '') {
      return;
    }
    const amounts = [
      GOVERNED.exec(source)?.[1],
      ...Array.from(source.matchAll(SPEND), match => match[1])
    ]
      .map(text => (text === undefined ? null : typedUsd(text)))
      .filter(amount => amount !== null);
    if (amounts.length === 0) {
      unstated.push(index + 1);
    } else {
      const cost = amounts.reduce((sum, amount) => sum + amount, 0n);
      stated.push({ cell: index + 1, cost });
    }
  });
  return {
    total: stated.reduce((sum, { cost }) => sum + cost, 0n),
    stated,
    unstated
  };
}
