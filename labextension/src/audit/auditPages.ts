import { asFailure, type GovernanceApiError } from '../server/requests';
import type { IAuditApi, IAuditFilters } from '../server/auditApi';
import { Observable } from '../state/observable';
import type { IAuditRecord } from '../protocol/audit';

/** How many records one request loads. */
const PAGE = 500;
/** How many pages are kept in memory besides the newest page and those in view. */
const KEPT = 8;

/**
 * The records that match some filters, newest first; only the pages around the wanted positions are in memory.
 *
 * A page of the server is requested with the cursor from the previous page. All cursors are kept, so that a page that
 * was loaded once can be loaded again directly; to reach a new position, all pages before it are loaded. The list does
 * not change while new records are written, until `reload`.
 */
export class AuditPages extends Observable {
  constructor(options: AuditPages.IOptions) {
    super();
    this._api = options.api;
    this._pageSize = options.pageSize ?? PAGE;
  }

  get filters(): IAuditFilters {
    return this._filters;
  }

  /** How many records match, as far as is known so far; null before the first response. */
  get length(): number | null {
    return this._length;
  }

  /** How many records, from the newest on, have been loaded at some time. */
  get reached(): number {
    return this._end ?? this._cursors.length * this._pageSize;
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

  /** The record at a position, or null while it is not in memory. */
  record(index: number): IAuditRecord | null {
    const page = this._pages.get(Math.floor(index / this._pageSize));
    return page?.[index % this._pageSize] ?? null;
  }

  /** Load the records that match other filters, starting with the newest. */
  filter(filters: IAuditFilters): void {
    this._filters = filters;
    this._length = null;
    this._pages.clear();
    this.reload();
  }

  /** Load the list again, starting with the newest records; the old ones stay until these arrive. */
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

  /** Set the range of positions that are shown, and load their records. */
  want(first: number, last: number): void {
    this._wanted = {
      first: Math.floor(first / this._pageSize),
      last: Math.floor(last / this._pageSize)
    };
    this._read();
  }

  /** Load how many records match, from the sums of all days: a page does not contain the number. */
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
      // The request of the first page fails too, and reports the error.
    }
  }

  /** Load the next page that is needed, and after it the others. */
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

  /** Return the number of the page to load next; null if all that are needed are loaded. */
  private _next(): number | null {
    const reached = this._cursors.length - 1;
    const { first, last } = this._wanted;
    for (let page = first; page <= Math.min(last, reached); page += 1) {
      if (!this._has(page)) {
        return page;
      }
    }
    // A position beyond the last known page: load that page again for the cursor of the next.
    return last > reached && this._end === null ? reached : null;
  }

  private _has(page: number): boolean {
    return this._isFresh && this._pages.has(page);
  }

  /** Store a page, and drop those that are farthest from the wanted positions. */
  private _keep(page: number, records: readonly IAuditRecord[]): void {
    this._pages.set(page, records);
    const { first, last } = this._wanted;
    const middle = (first + last) / 2;
    const byDistance = [...this._pages.keys()]
      // Page 0 has no cursor: loading it again could return newer records, which do not belong to this list.
      .filter(key => key !== 0 && (key < first || key > last))
      .sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const key of byDistance.slice(
      0,
      Math.max(0, byDistance.length - KEPT)
    )) {
      this._pages.delete(key);
    }
  }

  /** Return how many records match at least: all pages before the last known one are full. */
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
  /** How many records match; null until the last page was loaded. */
  private _end: number | null = null;
  /** Whether the pages in memory were loaded after the last `reload`. */
  private _isFresh = false;
  private _isReading = false;
  private _failure: GovernanceApiError | null = null;
  private _epoch = 0;
}

/** A namespace for `AuditPages` statics. */
export namespace AuditPages {
  /** The instantiation options. */
  export interface IOptions {
    api: IAuditApi;
    /** How many records one request loads. */
    pageSize?: number;
  }
}
