import { asFailure, type GovernanceApiError } from '../server/requests';
import { Observable } from './observable';
import type { IPage, IWaiting } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';

/** How many are read, and drawn: who has more to see than this sees these first. */
export const MAX_READ = 50;
/** How long at least lies between two readings, in milliseconds. */
const PAUSE = 400;
/** How long the first reading waits for the connection at most, in milliseconds. */
const PATIENCE = 2000;

/**
 * What waits for a person on all notebooks of the server, oldest first.
 *
 * The server keeps it: a reload reads it again, and what is settled in another browser vanishes here too.
 */
export class WaitingList<T extends IWaiting> extends Observable {
  constructor(options: WaitingList.IOptions<T>) {
    super();
    this._model = options.model;
    this._read = options.read;
    this._known = this._stand();
    this._model.changed.connect(this._onModel, this);
    if (this._model.connection === 'connecting') {
      // While the page starts: with the connection made it would be read again.
      this._timer = window.setTimeout(() => void this.refresh(), PATIENCE);
    } else {
      void this.refresh();
    }
  }

  get entries(): readonly T[] {
    return this._entries;
  }

  /** Whether more wait than were read. */
  get hasMore(): boolean {
    return this._hasMore;
  }

  /** Whether the server was asked with success at least once. */
  get isKnown(): boolean {
    return this._isKnown;
  }

  /** Why what waits could not be read the last time; null where it could. */
  get failure(): GovernanceApiError | null {
    return this._failure;
  }

  override dispose(): void {
    window.clearTimeout(this._timer);
    this._model.changed.disconnect(this._onModel, this);
    super.dispose();
  }

  /** Read what waits: at once, or soon after the reading before. Never rejects: see `failure`. */
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
      // One that was settled here while the answer travelled is not brought back by it.
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
    this.tell();
    this._timer = window.setTimeout(() => {
      this._isReading = false;
      if (this._isDue) {
        void this.refresh();
      }
    }, PAUSE);
  }

  /** Called with what waited and does not any more, though it was not settled here. */
  protected onGone(_: readonly T[]): void {
    // Nothing, unless somebody wants to know how it ended.
  }

  /** Do what settles an entry, and forget it then; where it is refused, what waits is another than was thought. */
  protected async settle<A>(id: string, action: () => Promise<A>): Promise<A> {
    try {
      const answer = await action();
      this._settled.add(id);
      this._entries = this._entries.filter(entry => entry.id !== id);
      return answer;
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

  /** What the model knows: when it is another, what waits may be another too, or can be read again. */
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
