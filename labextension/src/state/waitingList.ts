import { asFailure, type GovernanceApiError } from '../server/requests';
import { Observable } from './observable';
import type { IPage, IWaiting } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';

/** How many entries of a list are loaded and shown: the oldest. Further ones follow once the user has decided these. */
const MAX_READ = 50;
/** The least time between two loads, in milliseconds. */
const PAUSE = 400;
/**
 * How long the first load waits for the event connection, in milliseconds. It is longer than the delay of that
 * connection in `plugins/model.ts`.
 */
const PATIENCE = 6000;

/**
 * The base class of the lists of what waits for the user in all notebooks of the server, oldest first.
 *
 * The list is loaded from the server again whenever a notebook's state has changed, so an entry that was decided in
 * another browser disappears here too.
 */
export class WaitingList<T extends IWaiting> extends Observable {
  constructor(options: WaitingList.IOptions<T>) {
    super();
    this._model = options.model;
    this._read = options.read;
    this._version = this._modelVersion();
    this._model.changed.connect(this._onModel, this);
    if (this._model.connection === 'connecting') {
      // The page is starting. A load now would be repeated as soon as the event connection is open.
      this._timer = window.setTimeout(() => void this.refresh(), PATIENCE);
    } else {
      void this.refresh();
    }
  }

  /** The entries that wait, oldest first; empty until they are loaded. */
  get entries(): readonly T[] {
    return this._entries;
  }

  /** Whether more entries wait than were loaded. */
  get hasMore(): boolean {
    return this._hasMore;
  }

  /** Whether the list was loaded at least once. */
  get isKnown(): boolean {
    return this._isKnown;
  }

  /** Why the last load of the list failed; null if it did not. */
  get failure(): GovernanceApiError | null {
    return this._failure;
  }

  override dispose(): void {
    window.clearTimeout(this._timer);
    this._model.changed.disconnect(this._onModel, this);
    super.dispose();
  }

  /** Load the list now, or, if it is being loaded, once more after that. Never rejects: see `failure`. */
  async refresh(): Promise<void> {
    if (this._isReading) {
      this._isDue = true;
      return;
    }
    window.clearTimeout(this._timer);
    this._isReading = true;
    this._isDue = false;
    const known = this._entries;
    try {
      const page = await this._read(MAX_READ);
      const ids = new Set(page.entries.map(entry => entry.id));
      // An entry that the user decided here while the request was in flight must not be listed again.
      this._entries = page.entries.filter(
        entry => !this._settled.has(entry.id)
      );
      this._hasMore = page.after !== null;
      this._isKnown = true;
      this._failure = null;
      if (!this.isDisposed && !this._hasMore) {
        this.onGone(
          known.filter(({ id }) => !ids.has(id) && !this._settled.has(id))
        );
      }
    } catch (reason) {
      this._failure = asFailure(reason);
    }
    if (this.isDisposed) {
      return;
    }
    this.notify();
    this._timer = window.setTimeout(() => {
      this._isReading = false;
      if (this._isDue) {
        void this.refresh();
      }
    }, PAUSE);
  }

  /** Called with the entries that no longer wait although the user did not decide them in this page. */
  protected onGone(_: readonly T[]): void {
    // Subclasses override this if they need it.
  }

  /**
   * Send the user's decision on an entry with `action`, and remove the entry. If the server refuses, load the list
   * again and reject with the server's error.
   */
  protected async settle<A>(id: string, action: () => Promise<A>): Promise<A> {
    try {
      const response = await action();
      this._settled.add(id);
      this._entries = this._entries.filter(entry => entry.id !== id);
      return response;
    } catch (reason) {
      void this.refresh();
      throw reason;
    }
  }

  private _onModel(): void {
    const version = this._modelVersion();
    if (version !== this._version) {
      this._version = version;
      void this.refresh();
    }
  }

  /**
   * Return a text that differs once the list may be out of date, or once the server is reachable again after a failure.
   */
  private _modelVersion(): string {
    return `${this._model.revision} ${this._model.connection}`;
  }

  private readonly _model: IGovernanceModel;
  private readonly _read: (limit: number) => Promise<IPage<T>>;
  private readonly _settled = new Set<string>();
  private _entries: readonly T[] = [];
  private _hasMore = false;
  private _isKnown = false;
  private _failure: GovernanceApiError | null = null;
  private _version: string;
  private _isReading = false;
  private _isDue = false;
  private _timer: number | undefined;
}

/** A namespace for the types that belong to `WaitingList`. */
export namespace WaitingList {
  /** The options of the constructor of `WaitingList`. */
  export interface IOptions<T extends IWaiting> {
    model: IGovernanceModel;
    read: (limit: number) => Promise<IPage<T>>;
  }
}
