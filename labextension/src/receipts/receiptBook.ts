import { type ISignal, Signal } from '@lumino/signaling';
import type { IAuditApi } from '../server/auditApi';
import { parseUsd } from '../words/money';
import { verdictOf } from '../words/verdicts';
import type { IAuditRecord } from '../protocol/audit';

/** How many records one request loads. */
const PAGE = 500;
/** How many pages are loaded for a notebook at most. */
const MAX_PAGES = 4;
/** How many of the newest records of a run are kept. */
const LISTED = 20;

/** What the runs of a cell spent and were denied. */
export interface IReceipt {
  /** What the last run spent, in nano-dollars; a run without a charge or denial does not count. */
  readonly spent: bigint;
  /** The number of charged calls in the last run. */
  readonly calls: number;
  /** How many requests of the last run were denied. */
  readonly denied: number;
  /** What all runs spent, in nano-dollars. */
  readonly total: bigint;
  /** The number of runs. */
  readonly runs: number;
  /** The newest records of the last run, newest first. */
  readonly records: readonly IAuditRecord[];
}

/** One run of a cell. */
interface IRun {
  /** In nano-dollars. */
  spent: bigint;
  denied: number;
  /** The time of the run's last charge or denial. */
  at: string;
  readonly charges: Set<string>;
  records: IAuditRecord[];
}

/**
 * What the cells of notebooks spent in the current or last session, summed from the audit record.
 *
 * Nothing is stored in a notebook's file. A record has the id of its cell and the execution count of the run, which the
 * kernel sent with its request.
 */
export class ReceiptBook {
  constructor(api: IAuditApi) {
    this._api = api;
  }

  /** Emitted with a notebook's path when new records of it were loaded. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  /** Return what a cell spent and was denied; null if neither. */
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

  /** Return whether a notebook's records were loaded. */
  isRead(path: string): boolean {
    return this._isRead.has(path);
  }

  /** Return what a cell spent in all its runs in all sessions, in nano-dollars. */
  total(path: string, cell: string): bigint {
    return this._notebooks.get(path)?.totals.get(cell) ?? 0n;
  }

  /** Load a notebook's new records; rejects if the request fails. */
  read(path: string): Promise<void> {
    // Loads follow each other: two at the same time would count the same records twice.
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
    // Oldest first, since each record is put at the head of its run's list.
    for (const record of fresh.reverse()) {
      if (record.event === 'open' && record.chain !== known.session) {
        // Spending of an earlier session does not belong to this one.
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

/** The figures of a notebook. */
interface INotebook {
  /** The id of the newest record that was counted. */
  newest: string | null;
  /** The session of the newest record. */
  session: string | null;
  /** The runs of each cell, by their execution counts. */
  readonly cells: Map<string, Map<number, IRun>>;
  /** What each cell spent in all sessions, in nano-dollars. */
  readonly totals: Map<string, bigint>;
}

/** Add a record to the run of its cell. */
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
