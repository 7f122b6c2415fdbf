/** The server's live events, with a status that JupyterLab's event manager lacks: whether they flow. */

import {
  type Event,
  EventManager,
  type ServerConnection
} from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { isRecord } from '../protocol/guards';
import {
  type IGovernanceState,
  isState,
  STATE_EVENT_SCHEMA
} from '../protocol/state';

/** Whether events flow. */
export type EventsStatus = 'connecting' | 'open' | 'closed';

/** A stream of the server's events that reports interruptions. */
export interface IEvents {
  /** Every event of the server, of any schema. */
  readonly emitted: ISignal<IEvents, unknown>;
  readonly status: EventsStatus;
  /**
   * Each opening and closing of the connection. Nothing is replayed: after an opening, earlier knowledge
   * may be out of date.
   */
  readonly statusChanged: ISignal<IEvents, EventsStatus>;
}

/**
 * The events of one server.
 *
 * #### Notes
 * It owns an event manager of its own, since the application's (`serviceManager.events`) reconnects
 * silently: an idle proxy may close that one socket alone, and events emitted until it is open
 * again are lost with no other signal in the page. The manager gets a WebSocket class that
 * reports; the reconnecting and its back-off stay JupyterLab's.
 */
export class ServerEvents implements IEvents, IDisposable {
  constructor(options: ServerEvents.IOptions) {
    this._serverSettings = options.serverSettings;
    if (options.after) {
      const start = (): void => this._start();
      void options.after.then(start, start);
    } else {
      this._start();
    }
    window.addEventListener('online', this._onOnline);
    document.addEventListener('visibilitychange', this._onVisibility);
  }

  get emitted(): ISignal<this, unknown> {
    return this._emitted;
  }

  get status(): EventsStatus {
    return this._status;
  }

  get statusChanged(): ISignal<this, EventsStatus> {
    return this._statusChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    window.removeEventListener('online', this._onOnline);
    document.removeEventListener('visibilitychange', this._onVisibility);
    this._isDisposed = true;
    this._socket = null;
    this._manager?.dispose();
    Signal.clearData(this);
  }

  /** Drop the current connection, if any, and connect now rather than when the back-off ends. */
  reconnect(): void {
    // Before the first connection there is nothing to drop: it comes by itself.
    if (this.isDisposed || this._manager === null) {
      return;
    }
    this._socket = null;
    this._manager.dispose();
    this._setStatus('closed');
    this._manager = this._connect();
  }

  private _start(): void {
    if (!this.isDisposed) {
      this._manager = this._connect();
    }
  }

  private _connect(): EventManager {
    const opened = (socket: WebSocket) => this._onOpen(socket);
    const closed = (socket: WebSocket) => this._onClose(socket);
    class ReportingWebSocket extends this._serverSettings.WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('open', () => opened(this));
        this.addEventListener('close', () => closed(this));
      }
    }
    const manager = new EventManager({
      serverSettings: {
        ...this._serverSettings,
        WebSocket: ReportingWebSocket
      }
    });
    manager.stream.connect(this._onEmission, this);
    return manager;
  }

  private _onOpen(socket: WebSocket): void {
    this._socket = socket;
    this._setStatus('open');
  }

  private _onClose(socket: WebSocket): void {
    // A socket that never opened closes too: then the status only changes from `connecting`.
    if (this._socket === socket || this._socket === null) {
      this._socket = null;
      this._setStatus('closed');
    }
  }

  private _onEmission(_: Event.IManager, emission: Event.Emission): void {
    this._emitted.emit(emission);
  }

  private readonly _onOnline = (): void => {
    // The network was away: a socket that looks open may be dead without knowing it yet.
    this.reconnect();
  };

  private readonly _onVisibility = (): void => {
    // While the page is hidden the manager does not reconnect.
    if (document.visibilityState === 'visible' && this._status !== 'open') {
      this.reconnect();
    }
  };

  private _setStatus(status: EventsStatus): void {
    if (this._status !== status) {
      this._status = status;
      this._statusChanged.emit(status);
    }
  }

  private readonly _serverSettings: ServerConnection.ISettings;
  private readonly _emitted = new Signal<this, unknown>(this);
  private readonly _statusChanged = new Signal<this, EventsStatus>(this);
  private _manager: EventManager | null = null;
  private _isDisposed = false;
  private _socket: WebSocket | null = null;
  private _status: EventsStatus = 'connecting';
}

/** A namespace for `ServerEvents` statics. */
export namespace ServerEvents {
  /** The instantiation options. */
  export interface IOptions {
    /** The server to listen to. */
    serverSettings: ServerConnection.ISettings;
    /** What the first connection waits for; it connects at once if not given. */
    after?: Promise<unknown>;
  }
}

/** Whether a value is an event of this extension; it then carries the fields of a state body. */
export function isStateEvent(
  value: unknown
): value is IGovernanceState & { readonly schema_id: string } {
  return (
    isRecord(value) && value.schema_id === STATE_EVENT_SCHEMA && isState(value)
  );
}
