import { type ISignal, Signal } from '@lumino/signaling';
import type { IGovernanceApi } from '../server/api';
import { asFailure, type GovernanceApiError } from '../server/requests';
import {
  type EventsStatus,
  type IEvents,
  isStateEvent
} from '../server/events';
import type { IGovernanceConfig, IGovernanceState } from '../protocol/state';
import type { Connection, IGovernanceModel } from '../tokens';
import { Observable } from './observable';

/**
 * The first and the longest delay before a failed request is sent again, in milliseconds. Each delay is twice as long
 * as the one before.
 */
const RETRY = { first: 1000, last: 30000 };

/**
 * The governance state of the server's notebooks, kept current by the server's events.
 *
 * The model requests the state of the notebook in front when that notebook comes to the front with a state that may be
 * out of date, and when events arrive again after an interruption. It ignores a response or event that is older than
 * the state it has.
 */
export class GovernanceModel extends Observable implements IGovernanceModel {
  constructor(options: GovernanceModel.IOptions) {
    super();
    this._api = options.api;
    this._events = options.events;
    this._events.emitted.connect(this._onEmitted, this);
    this._events.statusChanged.connect(this._onStatus, this);
    if (this._events.status === 'open') {
      void this._readConfig();
    }
  }

  get path(): string | null {
    return this._path;
  }

  get state(): IGovernanceState | null {
    return this._path === null ? null : this.stateOf(this._path);
  }

  get config(): IGovernanceConfig | null {
    return this._config;
  }

  get failure(): GovernanceApiError | null {
    return this._failure;
  }

  get connection(): Connection {
    if (this._failure) {
      return 'unreachable';
    }
    switch (this._events.status) {
      case 'open':
        return 'live';
      case 'closed':
        return 'interrupted';
      default:
        return 'connecting';
    }
  }

  get seenAt(): number | null {
    if (this._path === null || !this._states.has(this._path)) {
      return null;
    }
    // While events arrive, the known state is current. After an interruption, it is from the time at which events last
    // arrived.
    return this._failure === null && this._current.has(this._path)
      ? Date.now()
      : (this._seen.get(this._path) ?? null);
  }

  get mayChange(): boolean {
    return this._mayChange;
  }

  get revision(): number {
    return this._revision;
  }

  get kernelChanges(): number {
    return this._kernelChanges;
  }

  get learned(): ISignal<this, IGovernanceState> {
    return this._learned;
  }

  override dispose(): void {
    this._ticket += 1;
    this._cancelRetry();
    super.dispose();
  }

  stateOf(path: string): IGovernanceState | null {
    return this._states.get(path) ?? null;
  }

  learn(state: IGovernanceState): void {
    this._store(state);
  }

  /** Set the server-local path of the notebook in front; null if none is. */
  show(path: string | null): void {
    if (path === this._path) {
      return;
    }
    this._path = path;
    this._failure = null;
    this._cancelRetry();
    this.notify();
    if (path !== null && !this._current.has(path)) {
      void this.refresh();
    }
  }

  /**
   * Count the change of the kernel of the notebook in front, and load that notebook's state again: with another kernel,
   * it may have another session.
   */
  noteKernel(): void {
    this._kernelChanges += 1;
    this.notify();
    void this.refresh();
  }

  async refresh(): Promise<void> {
    const path = this._path;
    if (path === null || this.isDisposed) {
      return;
    }
    this._cancelRetry();
    const ticket = ++this._ticket;
    const interruptions = this._interruptions;
    try {
      const state = await this._api.state(path);
      // The state is current from now on only if events have arrived without interruption since before the request was
      // sent.
      if (
        this._events.status === 'open' &&
        interruptions === this._interruptions
      ) {
        this._current.add(path);
      }
      // The server may respond with another path for the same notebook; the page keeps the path that it requested.
      this._store({ ...state, path }, this._events.status === 'open');
      if (ticket === this._ticket) {
        this._settle(null);
      }
    } catch (reason) {
      if (ticket === this._ticket && path === this._path) {
        this._settle(asFailure(reason));
      }
    }
  }

  private _onStatus(_: IEvents, status: EventsStatus): void {
    this._interruptions += 1;
    const now = Date.now();
    this._current.forEach(path => this._seen.set(path, now));
    this._current.clear();
    this.notify();
    if (status === 'open') {
      void this._readConfig();
    }
    void this.refresh();
  }

  private _onEmitted(_: IEvents, event: unknown): void {
    if (!isStateEvent(event)) {
      return;
    }
    this._current.add(event.path);
    this._store(event);
    if (event.path === this._path) {
      this._settle(null);
    }
  }

  private async _readConfig(): Promise<void> {
    try {
      const [config, mayChange] = await Promise.all([
        this._api.config(),
        this._api.mayChange()
      ]);
      this._config = config;
      this._mayChange = mayChange;
      this.notify();
    } catch {
      // The previous configuration stays. The request for the state fails likewise, and its failure is shown to the
      // user.
    }
  }

  /**
   * Store a notebook's state unless a newer one is known.
   *
   * @param isOld - Whether events have arrived without interruption, so that an event would have reported a change
   *   earlier; a state that is loaded for the first time then counts as no change.
   */
  private _store(state: IGovernanceState, isOld = false): void {
    const known = this._states.get(state.path);
    // `seq` counts the changes of one session, so the numbers of two sessions cannot be compared.
    const isComparable = known?.shared_with === state.shared_with;
    if (known && isComparable && state.seq < known.seq) {
      return;
    }
    this._states.set(state.path, state);
    this._seen.set(state.path, Date.now());
    const isNewer = known?.seq !== state.seq || !isComparable;
    // A state that is loaded for the first time, or again, is not a change of the notebook.
    if (!isOld || (known && isNewer)) {
      this._revision += 1;
    }
    if (isNewer) {
      this._learned.emit(state);
    }
    this.notify();
  }

  /**
   * Store why the last request about the notebook in front failed, or null if it did not; send the request again later
   * if that may help.
   */
  private _settle(failure: GovernanceApiError | null): void {
    this._cancelRetry();
    if (failure !== this._failure) {
      this._failure = failure;
      this.notify();
    }
    // While events are interrupted no timer is needed: once they arrive again, the state is requested anyway.
    if (failure?.isTransient && this._events.status === 'open') {
      this._retry = window.setTimeout(() => void this.refresh(), this._delay);
      this._delay = Math.min(2 * this._delay, RETRY.last);
    } else if (!failure) {
      this._delay = RETRY.first;
    }
  }

  private _cancelRetry(): void {
    window.clearTimeout(this._retry);
  }

  private readonly _api: IGovernanceApi;
  private readonly _events: IEvents;
  private readonly _learned = new Signal<this, IGovernanceState>(this);
  private readonly _states = new Map<string, IGovernanceState>();
  /** For each path, when the notebook's state was last known to be current, in milliseconds since 1970. */
  private readonly _seen = new Map<string, number>();
  /** The paths of notebooks whose state is current as long as events arrive. */
  private readonly _current = new Set<string>();
  private _path: string | null = null;
  private _config: IGovernanceConfig | null = null;
  private _failure: GovernanceApiError | null = null;
  private _mayChange = true;
  private _revision = 0;
  private _kernelChanges = 0;
  private _interruptions = 0;
  private _ticket = 0;
  private _delay = RETRY.first;
  private _retry: number | undefined;
}

/** A namespace for the types that belong to `GovernanceModel`. */
export namespace GovernanceModel {
  /** The options of the constructor of `GovernanceModel`. */
  export interface IOptions {
    api: IGovernanceApi;
    events: IEvents;
  }
}
