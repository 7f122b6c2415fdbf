import type { Cell } from '@jupyterlab/cells';
import type { ISignal } from '@lumino/signaling';
import type { IGovernanceModel } from '../tokens';
import type { LearnedCosts } from './learnedCosts';

/** What each cell spent in all its runs, according to the audit record. */
export interface ICellTotals {
  /** Return whether the records of the notebook at a path were loaded at least once. */
  isRead(path: string): boolean;
  /** Return what a cell, given by its id, spent in all its runs, in nano-dollars. */
  total(path: string, cell: string): bigint;
  /** Load the records of a notebook that were written since the last load; rejects if the request fails. */
  read(path: string): Promise<void>;
}

/** A report of JupyterLab that a cell starts to run or has finished. */
export interface ICellRun {
  readonly cell: Cell;
  /** Whether the run succeeded; undefined when the cell starts. */
  readonly success?: boolean;
}

/**
 * Learns what each cell costs: what the cell had spent in total after a run, according to the audit record, less what
 * it had spent before. The costs are stored in {@link LearnedCosts}.
 *
 * A run is ignored if it failed, or if it overlaps another run of the same cell.
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
      // If the records could not be loaded, nothing is learned from this run.
    }
    // The run is removed only once its records are loaded: a run that starts before that overlaps this one.
    const { running, ...last } = this._runs.get(id) ?? run;
    if (running > 1) {
      this._runs.set(id, { ...last, running: running - 1 });
    } else {
      this._runs.delete(id);
    }
  }

  private _learn({ path, source }: IRun, cost: bigint): void {
    // Without a session the server records no spending, so a cost of zero would be a guess.
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

/** A namespace for the types that belong to `CostLearner`. */
export namespace CostLearner {
  /** The options of the constructor of `CostLearner`. */
  export interface IOptions {
    learned: LearnedCosts;
    model: IGovernanceModel;
    /** The server-local path of a cell's notebook; null if no open notebook has the cell. */
    pathOf: (cell: Cell) => string | null;
    totals: ICellTotals;
    /** Emitted when a cell starts to run (`scheduled`), and when it has finished (`executed`). */
    scheduled: ISignal<unknown, ICellRun>;
    executed: ISignal<unknown, ICellRun>;
  }
}

interface IRun {
  readonly path: string;
  readonly source: string;
  /** What the cell had spent in total before this run, in nano-dollars; undefined if unknown, or if runs overlap. */
  readonly before: bigint | undefined;
  /** How many runs of the cell were started and do not have their records loaded yet. */
  readonly running: number;
}
