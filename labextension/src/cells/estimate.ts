/** Estimates what cells will cost, before they run. */

import { isFree, statedCost } from './statedCosts';

/** A cell to be estimated. */
export interface ICellToRun {
  readonly source: string;
  readonly isCode: boolean;
  /** The name in its metadata; null if it has none. */
  readonly name: string | null;
}

/** What a cell costs, as its source states or from its earlier runs, in nano-dollars. */
export type ICellCost =
  | { readonly kind: 'stated'; readonly low: bigint; readonly high: bigint }
  | {
      readonly kind: 'learned';
      readonly low: bigint;
      readonly high: bigint;
      /** The number of runs it was learned from. */
      readonly runs: number;
    };

/** A cell that costs something, or whose cost is unknown. */
export interface IEstimateLine {
  /** Its index in the notebook, from 0. */
  readonly index: number;
  readonly name: string;
  /** Null if unknown. */
  readonly cost: ICellCost | null;
}

/** The cells that may cost something, and the sum of the known costs in nano-dollars. */
export interface IEstimate {
  readonly lines: readonly IEstimateLine[];
  readonly low: bigint;
  readonly high: bigint;
  /** The number of cells of unknown cost. */
  readonly unknown: number;
}

/**
 * Estimate what cells cost. Cells that certainly cost nothing are left out.
 *
 * @param learned - Returns what a cell with this source cost in its last runs, in nano-dollars; empty if it never ran.
 */
export function estimate(
  cells: readonly ICellToRun[],
  learned: (source: string) => readonly bigint[]
): IEstimate {
  const lines: IEstimateLine[] = [];
  cells.forEach(({ source, isCode, name }, index) => {
    if (!isCode || isFree(source)) {
      return;
    }
    const cost = costOf(source, learned(source));
    if (cost === null || cost.high > 0n) {
      lines.push({ index, name: name ?? firstLine(source), cost });
    }
  });
  const sum = (amount: (cost: ICellCost) => bigint): bigint =>
    lines.reduce((all, { cost }) => all + (cost ? amount(cost) : 0n), 0n);
  return {
    lines,
    low: sum(cost => cost.low),
    high: sum(cost => cost.high),
    unknown: lines.filter(({ cost }) => cost === null).length
  };
}

function costOf(source: string, runs: readonly bigint[]): ICellCost | null {
  const stated = statedCost(source);
  if (stated !== null) {
    return { kind: 'stated', low: stated, high: stated };
  }
  const [first, ...others] = runs;
  if (first === undefined) {
    return null;
  }
  return {
    kind: 'learned',
    low: others.reduce((low, run) => (run < low ? run : low), first),
    high: others.reduce((high, run) => (run > high ? run : high), first),
    runs: runs.length
  };
}

function firstLine(source: string): string {
  return (
    source
      .split('\n')
      .map(line => line.trim())
      .find(line => line !== '') ?? ''
  );
}
