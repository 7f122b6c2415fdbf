import { type ISignal, Signal } from '@lumino/signaling';
import type { IAuditApi } from '../server/auditApi';
import { parseUsd } from '../words/money';
import { verdictOf } from '../words/verdicts';
import type { IAuditRecord } from '../protocol/audit';

/** How many records one request loads. */
const PAGE = 500;
/** How many pages of records are loaded for one notebook at a time; older records are left out. */
const MAX_PAGES = 4;
/** How many records of each run are kept to be listed, the newest. */
const LISTED = 20;

/** What a cell spent and was denied, in its last run and in all its runs of the session. */
export interface IReceipt {
  /** What the last run spent, in nano-dollars. The last run is the last one with a charge or a denial. */
  readonly spent: bigint;
  /** The number of charged calls in the last run. */
  readonly calls: number;
  /** How many requests of the last run were denied. */
  readonly denied: number;
  /** What all runs spent, in nano-dollars. */
  readonly total: bigint;
  /** The number of runs of the cell with a charge or a denial. */
  readonly runs: number;
  /** The audit records of the last run, newest first; at most 20. */
  readonly records: readonly IAuditRecord[];
}

/** What is known of one run of a cell. */
interface IRun {
  /** What the run spent, in nano-dollars. */
  spent: bigint;
  denied: number;
  /** When the run was last charged or denied, in ISO 8601. */
  at: string;
  readonly charges: Set<string>;
  records: IAuditRecord[];
}

/**
 * What each cell of a notebook spent in the open or last session, summed from the audit record.
 *
 * Each record has the id of the cell and the cell's execution count, which the kernel sent with its request. Nothing is
 * stored in the notebook's file.
 */
export class ReceiptBook {
  constructor(api: IAuditApi) {
    this._api = api;
  }

  /** Emitted with the path of a notebook after new records of it were loaded. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  /** Return what a cell, given by its id, spent and was denied; null if it was neither charged nor denied. */
  of(path: string, cell: string): IReceipt | null {
    const runs = this._notebooks.get(path)?.cells.get(cell);
    const all = [...(runs?.values() ?? [])].filter(
      ({ denied, spent }) => spent > 0n || denied > 0
    );
    if (all.length === 0) {
      return null;
    }
    const last = all.reduce((a, b) => (b.at > a.at ? b : a));
    return {
      spent: last.spent,
      calls: last.charges.size,
      denied: last.denied,
      total: all.reduce((sum, run) => sum + run.spent, 0n),
      runs: all.length,
      records: last.records
    };
  }

  /** Return whether the records of the notebook at a path were loaded at least once. */
  isRead(path: string): boolean {
    return this._isRead.has(path);
  }

  /** Return what a cell, given by its id, spent in all its runs of all sessions, in nano-dollars. */
  total(path: string, cell: string): bigint {
    return this._notebooks.get(path)?.totals.get(cell) ?? 0n;
  }

  /** Load the records of a notebook that were written since the last load; rejects if the request fails. */
  read(path: string): Promise<void> {
    // One load starts after the other has ended: two at the same time would count the same records twice.
    const reading = this._readings.then(() => this._read(path));
    this._readings = reading.catch(() => undefined);
    return reading;
  }

  private async _read(path: string): Promise<void> {
    const known: INotebook = this._notebooks.get(path) ?? {
      newest: null,
      session: null,
      cells: new Map<string, Map<number, IRun>>(),
      totals: new Map<string, bigint>()
    };
    const fresh: IAuditRecord[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const response = await this._api.records({ path }, PAGE, cursor);
      const at = response.records.findIndex(
        record => record.record_id === known.newest
      );
      fresh.push(
        ...(at < 0 ? response.records : response.records.slice(0, at))
      );
      cursor = response.cursor;
      if (at >= 0 || cursor === null) {
        break;
      }
    }
    this._isRead.add(path);
    if (fresh.length === 0) {
      return;
    }
    known.newest = fresh[0]?.record_id ?? null;
    // The oldest record comes first, since each record is put at the head of its run's list.
    for (const record of fresh.reverse()) {
      if (record.event === 'open' && record.chain !== known.session) {
        // A new session starts: the runs of the earlier one no longer belong to what `of` returns.
        known.cells.clear();
      }
      if (record.chain !== 'ledger') {
        known.session = record.chain;
      }
      enter(known.cells, record);
      const { id } = record.cell;
      if (id !== null) {
        const spent = parseUsd(record.spent_delta);
        known.totals.set(id, (known.totals.get(id) ?? 0n) + spent);
      }
    }
    this._notebooks.set(path, known);
    this._changed.emit(path);
  }

  private readonly _api: IAuditApi;
  private readonly _changed = new Signal<this, string>(this);
  private readonly _isRead = new Set<string>();
  private _readings = Promise.resolve();
  private readonly _notebooks = new Map<string, INotebook>();
}

/** What is known of one notebook's records. */
interface INotebook {
  /** The id of the newest record that is included in the figures. */
  newest: string | null;
  /** The id of the session to which the newest record belongs. */
  session: string | null;
  /** For each cell id, the cell's runs by their execution counts. */
  readonly cells: Map<string, Map<number, IRun>>;
  /** For each cell id, what the cell spent in all sessions, in nano-dollars. */
  readonly totals: Map<string, bigint>;
}

/** Add an audit record to the run of the cell that it came from. */
function enter(
  cells: Map<string, Map<number, IRun>>,
  record: IAuditRecord
): void {
  const { cell, charge_id: charge } = record;
  const spent = parseUsd(record.spent_delta);
  const isDenied = verdictOf(record) === 'deny';
  if (cell.id === null || cell.count === null || (spent === 0n && !isDenied)) {
    return;
  }
  const runs = cells.get(cell.id) ?? new Map<number, IRun>();
  const run = runs.get(cell.count) ?? {
    spent: 0n,
    denied: 0,
    at: '',
    charges: new Set<string>(),
    records: []
  };
  run.spent += spent;
  run.at = record.at;
  if (isDenied) {
    run.denied += 1;
  } else {
    run.charges.add(charge ?? record.record_id);
  }
  run.records = [record, ...run.records].slice(0, LISTED);
  runs.set(cell.count, run);
  cells.set(cell.id, runs);
}
