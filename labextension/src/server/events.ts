/**
 * Receives the live events of the server, and reports whether the connection for them is open, which JupyterLab's event
 * manager does not.
 */

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

/** The state of the connection; events arrive only while it is `open`. */
export type EventsStatus = 'connecting' | 'open' | 'closed';

/** The live events of the server, and the state of the connection that they arrive on. */
export interface IEvents {
  /** Emitted with each event that the server sends, whatever its schema. */
  readonly emitted: ISignal<IEvents, unknown>;
  readonly status: EventsStatus;
  /**
   * Emitted when the connection is opened or closed. Events that were missed are not sent again, so after a connection
   * is opened, anything loaded before may be out of date.
   */
  readonly statusChanged: ISignal<IEvents, EventsStatus>;
}

/**
 * Receives the events of one server.
 *
 * #### Notes
 * It has its own event manager, since JupyterLab's (`serviceManager.events`) reconnects without any signal: a proxy may
 * close its idle connection, and the events until it is open again are lost unnoticed. This class gives its event
 * manager a WebSocket class that reports when a socket opens and closes; JupyterLab's code still does the reconnecting
 * with back-off.
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

  /** Close the current connection, if any, and connect now instead of after JupyterLab's back-off. */
  reconnect(): void {
    // Before the first connection was made there is nothing to replace.
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
    // A socket that could not be opened also closes. A socket that `reconnect` has replaced is ignored.
    if (this._socket === socket || this._socket === null) {
      this._socket = null;
      this._setStatus('closed');
    }
  }

  private _onEmission(_: Event.IManager, emission: Event.Emission): void {
    this._emitted.emit(emission);
  }

  private readonly _onOnline = (): void => {
    // After a network outage, a connection may be dead although the browser still reports it as open.
    this.reconnect();
  };

  private readonly _onVisibility = (): void => {
    // JupyterLab's event manager does not reconnect while the page is hidden.
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

/** A namespace for the types that belong to `ServerEvents`. */
export namespace ServerEvents {
  /** The options of the constructor of `ServerEvents`. */
  export interface IOptions {
    /** The connection settings of the server whose events are received. */
    serverSettings: ServerConnection.ISettings;
    /** When this promise settles, the first connection is made; if it is omitted, at once. */
    after?: Promise<unknown>;
  }
}

/** Whether an event carries a notebook's governance state; it then has all fields of that state. */
export function isStateEvent(
  value: unknown
): value is IGovernanceState & { readonly schema_id: string } {
  return (
    isRecord(value) && value.schema_id === STATE_EVENT_SCHEMA && isState(value)
  );
}
