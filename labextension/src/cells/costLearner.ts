import type { Cell } from '@jupyterlab/cells';
import type { ISignal } from '@lumino/signaling';
import type { IGovernanceModel } from '../tokens';
import type { LearnedCosts } from './learnedCosts';

/** What cells spent in all their runs, as recorded. */
export interface ICellTotals {
  /** Whether the record of a notebook was read. */
  isRead(path: string): boolean;
  /** What a cell spent in all its runs, in nano-dollars. */
  total(path: string, cell: string): bigint;
  /** Read what was recorded since the last time; rejects where the server refuses. */
  read(path: string): Promise<void>;
}

/** A cell that begins to run, or has run. */
export interface ICellRun {
  readonly cell: Cell;
  readonly success?: boolean;
}

/**
 * Learns what cells cost from what is recorded of their runs: the total after a run less the total before it.
 *
 * A run is left out where it failed, or where it cannot be told apart from another one of the same cell.
 */
export class CostLearner {
  constructor(options: CostLearner.IOptions) {
    this._options = options;
    options.scheduled.connect((_, { cell }) => this._onScheduled(cell));
    options.executed.connect((_, { cell, success }) => {
      void this._onExecuted(cell, success === true);
    });
  }

  private _onScheduled(cell: Cell): void {
    const { model, pathOf, totals } = this._options;
    const path = pathOf(cell);
    if (path === null || cell.model.type !== 'code') {
      return;
    }
    const { id } = cell.model;
    const isNew = model.stateOf(path)?.session_id === null;
    const before =
      totals.isRead(path) || isNew ? totals.total(path, id) : undefined;
    const isAlone = !this._runs.has(id);
    this._runs.set(id, {
      path,
      source: cell.model.sharedModel.getSource(),
      before: isAlone ? before : undefined,
      running: (this._runs.get(id)?.running ?? 0) + 1
    });
  }

  private async _onExecuted(cell: Cell, success: boolean): Promise<void> {
    const { id } = cell.model;
    const run = this._runs.get(id);
    if (!run) {
      return;
    }
    try {
      await this._options.totals.read(run.path);
      const { before } = this._runs.get(id) ?? {};
      if (success && before !== undefined) {
        this._learn(run, this._options.totals.total(run.path, id) - before);
      }
    } catch {
      // What could not be read is not learned.
    }
    // Only once it is read: what a run begun meanwhile spends would be counted here.
    const { running, ...last } = this._runs.get(id) ?? run;
    if (running > 1) {
      this._runs.set(id, { ...last, running: running - 1 });
    } else {
      this._runs.delete(id);
    }
  }

  private _learn({ path, source }: IRun, cost: bigint): void {
    // Without a session nothing is recorded, so nothing is known either.
    if (
      cost > 0n ||
      (cost === 0n && this._options.model.stateOf(path)?.active)
    ) {
      this._options.learned.learn(path, source, cost);
    }
  }

  private readonly _options: CostLearner.IOptions;
  private readonly _runs = new Map<string, IRun>();
}

/** A namespace for `CostLearner` statics. */
export namespace CostLearner {
  /** The instantiation options. */
  export interface IOptions {
    learned: LearnedCosts;
    model: IGovernanceModel;
    /** The path of a cell's notebook, local to the server; null where it is in none that is open. */
    pathOf: (cell: Cell) => string | null;
    totals: ICellTotals;
    /** Emitted when a cell begins to run, and when it has run. */
    scheduled: ISignal<unknown, ICellRun>;
    executed: ISignal<unknown, ICellRun>;
  }
}

interface IRun {
  readonly path: string;
  readonly source: string;
  /** What the cell had spent before; undefined where that is not known. */
  readonly before: bigint | undefined;
  /** How many of its runs have not been read yet. */
  readonly running: number;
}
