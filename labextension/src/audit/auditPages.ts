import { asFailure, type GovernanceApiError } from '../server/requests';
import type { IAuditApi, IAuditFilters } from '../server/auditApi';
import { Observable } from '../state/observable';
import type { IAuditRecord } from '../protocol/audit';

/** How many records one request loads. */
const PAGE = 500;
/** How many pages are kept in memory besides page 0 (the newest records) and the pages in view. */
const KEPT = 8;

/**
 * The records that match some filters, newest first, as the scrolled table shows them. Only the pages around the
 * visible rows are in memory.
 *
 * The server returns each page for the cursor that came with the page before. All cursors are kept, so a page that was
 * loaded once can be loaded again directly; to reach a new position, all pages before it are loaded first. Records that
 * are written later do not appear until `reload` is called.
 */
export class AuditPages extends Observable {
  constructor(options: AuditPages.IOptions) {
    super();
    this._api = options.api;
    this._pageSize = options.pageSize ?? PAGE;
  }

  /** The criteria that the records must match. */
  get filters(): IAuditFilters {
    return this._filters;
  }

  /**
   * How many records match the filters: the server's count or, once the last page was loaded, the exact number. Null
   * before the first response.
   */
  get length(): number | null {
    return this._length;
  }

  /** Whether a request is in flight. */
  get isReading(): boolean {
    return this._isReading;
  }

  /** Why the last request failed; null if it did not. */
  get failure(): GovernanceApiError | null {
    return this._failure;
  }

  override dispose(): void {
    this._epoch += 1;
    super.dispose();
  }

  /** The record at a position from 0, the newest; null while it is not in memory. */
  record(index: number): IAuditRecord | null {
    const page = this._pages.get(Math.floor(index / this._pageSize));
    return page?.[index % this._pageSize] ?? null;
  }

  /** Set the filters, and load the records that match them, starting with the newest. */
  filter(filters: IAuditFilters): void {
    this._filters = filters;
    this._length = null;
    this._pages.clear();
    this.reload();
  }

  /** Load the list again, starting with the newest records; the old records stay until the first new ones arrive. */
  reload(): void {
    this._epoch += 1;
    this._isReading = false;
    this._failure = null;
    this._cursors = [null];
    this._end = null;
    this._isFresh = false;
    this._wanted = { first: 0, last: 0 };
    void this._count(this._epoch);
    this._read();
  }

  /** Set the range of positions whose rows are in view, and load the records that are missing there. */
  want(first: number, last: number): void {
    this._wanted = {
      first: Math.floor(first / this._pageSize),
      last: Math.floor(last / this._pageSize)
    };
    this._read();
  }

  /**
   * Set `length` to the sum of the records of all days, which the server counts: the response with a page does not
   * contain the number.
   */
  private async _count(epoch: number): Promise<void> {
    try {
      const { sums } = await this._api.sums('day', this._filters);
      if (epoch === this._epoch && this._end === null) {
        this._length = Math.max(
          sums.reduce((total, sum) => total + sum.records, 0),
          this._leastLength()
        );
        this.notify();
      }
    } catch {
      // The request for the first page fails as well, and sets `failure`.
    }
  }

  /** Load the next page that is needed; each response then starts the load of another, until none is missing. */
  private _read(): void {
    const next = this._next();
    if (next === null || this._isReading || this.isDisposed) {
      return;
    }
    this._isReading = true;
    const epoch = this._epoch;
    const cursor = this._cursors[next] ?? null;
    this._api.records(this._filters, this._pageSize, cursor).then(
      ({ records, cursor: following }) => {
        if (epoch !== this._epoch) {
          return;
        }
        this._isReading = false;
        this._failure = null;
        if (!this._isFresh) {
          this._isFresh = true;
          this._pages.clear();
        }
        this._keep(next, records);
        if (following === null) {
          this._end = next * this._pageSize + records.length;
          this._length = this._end;
        } else {
          this._cursors[next + 1] = following;
          this._length = Math.max(this._length ?? 0, this._leastLength());
        }
        this.notify();
        this._read();
      },
      (reason: unknown) => {
        if (epoch === this._epoch) {
          this._isReading = false;
          this._failure = asFailure(reason);
          this.notify();
        }
      }
    );
  }

  /** Return the number of the page to load next; null if all pages in view are in memory. */
  private _next(): number | null {
    const reached = this._cursors.length - 1;
    const { first, last } = this._wanted;
    for (let page = first; page <= Math.min(last, reached); page += 1) {
      if (!this._has(page)) {
        return page;
      }
    }
    // The view is beyond the last page with a known cursor: load that page again, since its response has the next
    // cursor.
    return last > reached && this._end === null ? reached : null;
  }

  private _has(page: number): boolean {
    return this._isFresh && this._pages.has(page);
  }

  /** Store a page; if there are then too many, delete those that are farthest from the rows in view. */
  private _keep(page: number, records: readonly IAuditRecord[]): void {
    this._pages.set(page, records);
    const { first, last } = this._wanted;
    const middle = (first + last) / 2;
    const byDistance = [...this._pages.keys()]
      // Page 0 stays: it has no cursor, so loading it again could return newer records, which do not belong to this
      // list.
      .filter(key => key !== 0 && (key < first || key > last))
      .sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const key of byDistance.slice(
      0,
      Math.max(0, byDistance.length - KEPT)
    )) {
      this._pages.delete(key);
    }
  }

  /** Return the number of records that exist at least: all pages before the last known one are full. */
  private _leastLength(): number {
    const beyond = this._cursors.length - 1;
    return beyond * this._pageSize + (beyond > 0 ? 1 : 0);
  }

  private readonly _api: IAuditApi;
  private readonly _pageSize: number;
  private readonly _pages = new Map<number, readonly IAuditRecord[]>();
  private _filters: IAuditFilters = {};
  private _cursors: (string | null)[] = [null];
  private _wanted = { first: 0, last: 0 };
  private _length: number | null = null;
  /** The exact number of matching records; null until the last page was loaded. */
  private _end: number | null = null;
  /** Whether the pages in memory were loaded after the last call of `reload`. */
  private _isFresh = false;
  private _isReading = false;
  private _failure: GovernanceApiError | null = null;
  private _epoch = 0;
}

/** A namespace for the types that belong to `AuditPages`. */
export namespace AuditPages {
  /** The options of the constructor of `AuditPages`. */
  export interface IOptions {
    api: IAuditApi;
    /** How many records one request loads; 500 if omitted. */
    pageSize?: number;
  }
}
