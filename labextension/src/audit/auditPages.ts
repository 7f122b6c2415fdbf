import { asFailure, type GovernanceApiError } from '../server/requests';
import type { IAuditApi, IAuditFilters } from '../server/auditApi';
import { Observable } from '../state/observable';
import type { IAuditRecord } from '../protocol/audit';

/** How many records one request loads. */
const PAGE = 500;
/** How many pages are kept besides the newest one and those in view; pages farther away are loaded again. */
const KEPT = 8;

/**
 * The records that match some filters, newest first, by position; only a window of them is in memory.
 *
 * The server's pages have no numbers: each is requested with the cursor from the page before. The cursors are
 * kept, so that an earlier position can be loaded at once; for a new position, the pages before it are loaded
 * and dropped. The list does not change while new records are written, until `reload`.
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

  /** How many records match, as far as is known; null before the first response. */
  get length(): number | null {
    return this._length;
  }

  /** How many of them have been loaded so far. */
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

  /** Load the newest records again; the old ones are shown until they arrive. */
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

  /** Load the records at some positions into memory as soon as possible. */
  want(first: number, last: number): void {
    this._wanted = {
      first: Math.floor(first / this._pageSize),
      last: Math.floor(last / this._pageSize)
    };
    this._read();
  }

  /** Load how many records match: the sum over all days, since a page does not contain it. */
  private async _count(epoch: number): Promise<void> {
    try {
      const { sums } = await this._api.sums('day', this._filters);
      if (epoch === this._epoch && this._end === null) {
        this._length = Math.max(
          sums.reduce((total, sum) => total + sum.records, 0),
          this._sure()
        );
        this.notify();
      }
    } catch {
      // The request of the pages reports what is wrong.
    }
  }

  /** Load the next page that is wanted, or that comes before a wanted one. */
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
          this._length = Math.max(this._length ?? 0, this._sure());
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

  /** Which page to load next; null for none. */
  private _next(): number | null {
    const reached = this._cursors.length - 1;
    const { first, last } = this._wanted;
    for (let page = first; page <= Math.min(last, reached); page += 1) {
      if (!this._has(page)) {
        return page;
      }
    }
    // Only the last loaded page has the cursor that continues the list.
    return last > reached && this._end === null ? reached : null;
  }

  private _has(page: number): boolean {
    return this._isFresh && this._pages.has(page);
  }

  /** Keep a page, and drop the farthest one. */
  private _keep(page: number, records: readonly IAuditRecord[]): void {
    this._pages.set(page, records);
    const { first, last } = this._wanted;
    const middle = (first + last) / 2;
    const byDistance = [...this._pages.keys()]
      // The newest page has no cursor: loading it again would give other records.
      .filter(key => key !== 0 && (key < first || key > last))
      .sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle));
    for (const key of byDistance.slice(
      0,
      Math.max(0, byDistance.length - KEPT)
    )) {
      this._pages.delete(key);
    }
  }

  /** How many there are at least: a page that is followed by another is full. */
  private _sure(): number {
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
  /** How many there are, once the last page was loaded. */
  private _end: number | null = null;
  /** Whether the pages in memory belong to the current list, and not to the one before a reload. */
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
