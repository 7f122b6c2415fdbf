/** What the server's REST API tells of a notebook's governance. */

import type { ServerConnection } from '@jupyterlab/services';
import { ServerRequests } from './apiRequests';
import {
  type IGovernanceConfig,
  type IGovernanceState,
  isConfig,
  isState
} from './protocol';

export { type FailureCode, GovernanceApiError } from './apiRequests';

/** What the model asks of the server. */
export interface IGovernanceApi {
  /** The state of the notebook at a path local to the server. */
  state(path: string): Promise<IGovernanceState>;
  /** What the server's administrator configured. */
  config(): Promise<IGovernanceConfig>;
}

/** The client; every promise it gives rejects with a {@link GovernanceApiError} only. */
export class GovernanceApi implements IGovernanceApi {
  constructor(options: GovernanceApi.IOptions) {
    this._requests = new ServerRequests(options.serverSettings);
  }

  state(path: string): Promise<IGovernanceState> {
    return this._requests.get('state', isState, { path });
  }

  config(): Promise<IGovernanceConfig> {
    return this._requests.get('config', isConfig);
  }

  private readonly _requests: ServerRequests;
}

/** A namespace for `GovernanceApi` statics. */
export namespace GovernanceApi {
  /** The instantiation options. */
  export interface IOptions {
    /** The server to ask. */
    serverSettings: ServerConnection.ISettings;
  }
}
