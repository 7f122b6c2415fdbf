/** Estimates what the cells of a notebook will cost before the user runs them all. */

import { isFree, statedCost } from './statedCosts';

/** A cell whose cost is to be estimated. */
export interface ICellToRun {
  readonly source: string;
  readonly isCode: boolean;
  /** The value of `name` in the cell's metadata; null if it has none. */
  readonly name: string | null;
}

/**
 * What a cell costs, in nano-dollars: as its source states (`stated`), or the lowest and highest cost of its last runs
 * (`learned`).
 */
export type ICellCost =
  | { readonly kind: 'stated'; readonly low: bigint; readonly high: bigint }
  | {
      readonly kind: 'learned';
      readonly low: bigint;
      readonly high: bigint;
      /** How many runs `low` and `high` are taken from. */
      readonly runs: number;
    };

/** The estimate of one cell that costs something or whose cost is unknown. */
export interface IEstimateLine {
  /** The index of the cell in the notebook, from 0. */
  readonly index: number;
  readonly name: string;
  /** What the cell costs; null if its source states no amount and it never ran. */
  readonly cost: ICellCost | null;
}

/**
 * The estimates of all cells that may cost something, and the lowest and highest sum of the known costs, in
 * nano-dollars.
 */
export interface IEstimate {
  readonly lines: readonly IEstimateLine[];
  readonly low: bigint;
  readonly high: bigint;
  /** The number of cells whose cost is unknown; `low` and `high` do not include them. */
  readonly unknown: number;
}

/**
 * Estimate what cells will cost. Cells that certainly cost nothing, such as Markdown and comments, are left out.
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
