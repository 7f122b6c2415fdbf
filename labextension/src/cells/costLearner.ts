import type { Cell } from '@jupyterlab/cells';
import type { ISignal } from '@lumino/signaling';
import type { IGovernanceModel } from '../tokens';
import type { LearnedCosts } from './learnedCosts';

/** The totals that cells spent in all their runs, according to the audit record. */
export interface ICellTotals {
  /** Return whether a notebook's records were loaded. */
  isRead(path: string): boolean;
  /** Return what a cell spent in all its runs, in nano-dollars. */
  total(path: string, cell: string): bigint;
  /** Load a notebook's new records; rejects if the request fails. */
  read(path: string): Promise<void>;
}

/** The start or the end of a cell's run. */
export interface ICellRun {
  readonly cell: Cell;
  /** Whether the run succeeded; undefined at its start. */
  readonly success?: boolean;
}

/**
 * Learns the cost of cells from the audit record: the cell's total after a run less the total before it.
 *
 * A run is ignored if it failed, or overlaps another run of the same cell.
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
      // Nothing is learned from records that could not be loaded.
    }
    // Not before the records are loaded: else a run that starts meanwhile would not be seen as overlapping this one.
    const { running, ...last } = this._runs.get(id) ?? run;
    if (running > 1) {
      this._runs.set(id, { ...last, running: running - 1 });
    } else {
      this._runs.delete(id);
    }
  }

  private _learn({ path, source }: IRun, cost: bigint): void {
    // Without a session nothing is recorded, so nothing can be learned.
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
    /** The server-local path of a cell's notebook; null if no open notebook has the cell. */
    pathOf: (cell: Cell) => string | null;
    totals: ICellTotals;
    /** Emitted when a cell starts to run, and when it has finished. */
    scheduled: ISignal<unknown, ICellRun>;
    executed: ISignal<unknown, ICellRun>;
  }
}

interface IRun {
  readonly path: string;
  readonly source: string;
  /** What the cell had spent before the run, in nano-dollars; undefined if unknown, or if runs overlap. */
  readonly before: bigint | undefined;
  /** How many of its runs have records that are not loaded yet. */
  readonly running: number;
}
