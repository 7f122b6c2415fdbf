import { asFailure, type GovernanceApiError } from '../server/requests';
import type { IAuditApi, IAuditFilters } from '../server/auditApi';
import { Observable } from '../state/observable';
import type { IAuditRecord } from '../protocol/audit';

/** How many records one request asks for. */
const PAGE = 500;
/** How many pages are kept beside the newest and those looked at: what is farther away is read again. */
const KEPT = 8;

/**
 * The records that match some filters, newest first, by their place; a window of them is in memory.
 *
 * The server's pages have no numbers: each is asked for by the cursor that the page before gave. The cursors are
 * kept, so that a place that was passed once can be gone back to at once; to a place that is new, the pages
 * on the way there are read and let go. The list stands still while new records are written, until `reload`.
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

  /** How many records match, as far as is known; null before anything is. */
  get length(): number | null {
    return this._length;
  }

  /** How many of them have been reached so far. */
  get reached(): number {
    return this._end ?? this._cursors.length * this._pageSize;
  }

  /** Whether something is being read. */
  get isReading(): boolean {
    return this._isReading;
  }

  /** Why the last reading failed; null where it did not. */
  get failure(): GovernanceApiError | null {
    return this._failure;
  }

  override dispose(): void {
    this._epoch += 1;
    super.dispose();
  }

  /** The record at a place, or null while it is not in memory. */
  record(index: number): IAuditRecord | null {
    const page = this._pages.get(Math.floor(index / this._pageSize));
    return page?.[index % this._pageSize] ?? null;
  }

  /** Read by other filters, from the newest on. */
  filter(filters: IAuditFilters): void {
    this._filters = filters;
    this._length = null;
    this._pages.clear();
    this.reload();
  }

  /** Read the newest again; until they are there, what was known is still shown. */
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

  /** See to it that the records at some places are in memory, as soon as may be. */
  want(first: number, last: number): void {
    this._wanted = {
      first: Math.floor(first / this._pageSize),
      last: Math.floor(last / this._pageSize)
    };
    this._read();
  }

  /** How many match: what the days add up to, since pages do not tell. */
  private async _count(epoch: number): Promise<void> {
    try {
      const { sums } = await this._api.sums('day', this._filters);
      if (epoch === this._epoch && this._end === null) {
        this._length = Math.max(
          sums.reduce((total, sum) => total + sum.records, 0),
          this._sure()
        );
        this.tell();
      }
    } catch {
      // The reading of the pages says what is wrong.
    }
  }

  /** Read the next page that is wanted, or that lies on the way there. */
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
        this.tell();
        this._read();
      },
      (reason: unknown) => {
        if (epoch === this._epoch) {
          this._isReading = false;
          this._failure = asFailure(reason);
          this.tell();
        }
      }
    );
  }

  /** Which page to read next; null for none. */
  private _next(): number | null {
    const reached = this._cursors.length - 1;
    const { first, last } = this._wanted;
    for (let page = first; page <= Math.min(last, reached); page += 1) {
      if (!this._has(page)) {
        return page;
      }
    }
    // Where the list goes on is only known from its end as far as it was read.
    return last > reached && this._end === null ? reached : null;
  }

  private _has(page: number): boolean {
    return this._isFresh && this._pages.has(page);
  }

  /** Keep a page, and let go of the farthest one. */
  private _keep(page: number, records: readonly IAuditRecord[]): void {
    this._pages.set(page, records);
    const { first, last } = this._wanted;
    const middle = (first + last) / 2;
    const byDistance = [...this._pages.keys()]
      // The newest page is asked for by no cursor: read again, it would be another one.
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
  /** How many there are, once the last page was read. */
  private _end: number | null = null;
  /** Whether the pages in memory are of the present reading, and not of the one before. */
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
    /** How many records one request asks for. */
    pageSize?: number;
  }
}
