import { asFailure, type GovernanceApiError } from '../server/requests';
import { Observable } from './observable';
import type { IPage, IWaiting } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';

/** How many are loaded and drawn; the oldest come first, and further ones follow when these are settled. */
export const MAX_READ = 50;
/** The least time between two loads, in milliseconds. */
const PAUSE = 400;
/** How long the first load waits for the event connection at most, in milliseconds: longer than that for the start. */
const PATIENCE = 6000;

/**
 * What waits for a user on all notebooks of the server, oldest first.
 *
 * The server keeps it: a reload of the page loads it again, and what is settled in another browser disappears here too.
 */
export class WaitingList<T extends IWaiting> extends Observable {
  constructor(options: WaitingList.IOptions<T>) {
    super();
    this._model = options.model;
    this._read = options.read;
    this._known = this._stand();
    this._model.changed.connect(this._onModel, this);
    if (this._model.connection === 'connecting') {
      // While the page starts: once events flow, it would be loaded again.
      this._timer = window.setTimeout(() => void this.refresh(), PATIENCE);
    } else {
      void this.refresh();
    }
  }

  get entries(): readonly T[] {
    return this._entries;
  }

  /** Whether more wait than were loaded. */
  get hasMore(): boolean {
    return this._hasMore;
  }

  /** Whether at least one load succeeded. */
  get isKnown(): boolean {
    return this._isKnown;
  }

  /** Why the last load failed; null if it did not. */
  get failure(): GovernanceApiError | null {
    return this._failure;
  }

  override dispose(): void {
    window.clearTimeout(this._timer);
    this._model.changed.disconnect(this._onModel, this);
    super.dispose();
  }

  /** Load the list: at once, or shortly after the previous load. Never rejects: see `failure`. */
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
      // An entry that was settled here while the request was in flight must not come back.
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

  /** Called with entries that no longer wait, though they were not settled here. */
  protected onGone(_: readonly T[]): void {
    // Nothing, unless a subclass needs to know how they ended.
  }

  /** Settle an entry and remove it; if the server refuses, the list is out of date and is loaded again. */
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
    const stand = this._stand();
    if (stand !== this._known) {
      this._known = stand;
      void this.refresh();
    }
  }

  /** The parts of the model on which the list depends: a change means that it may be out of date, or loadable again. */
  private _stand(): string {
    return `${this._model.revision} ${this._model.connection}`;
  }

  private readonly _model: IGovernanceModel;
  private readonly _read: (limit: number) => Promise<IPage<T>>;
  private readonly _settled = new Set<string>();
  private _entries: readonly T[] = [];
  private _hasMore = false;
  private _isKnown = false;
  private _failure: GovernanceApiError | null = null;
  private _known: string;
  private _isReading = false;
  private _isDue = false;
  private _timer: number | undefined;
}

/** A namespace for `WaitingList` statics. */
export namespace WaitingList {
  /** The instantiation options. */
  export interface IOptions<T extends IWaiting> {
    model: IGovernanceModel;
    read: (limit: number) => Promise<IPage<T>>;
  }
}
