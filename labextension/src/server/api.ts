/** Reads a notebook's governance state from the REST API. */

import type { ServerConnection } from '@jupyterlab/services';
import { ServerRequests } from './requests';
import {
  type IGovernanceConfig,
  type IGovernanceState,
  isConfig,
  isState
} from '../protocol/state';
import { isIdentity, RESOURCE } from '../protocol/session';

/** The requests of the model. */
export interface IGovernanceApi {
  /** The state of the notebook at a path local to the server. */
  state(path: string): Promise<IGovernanceState>;
  /** The configuration by the server's administrator. */
  config(): Promise<IGovernanceConfig>;
  /** Whether the server lets the user change anything. */
  mayChange(): Promise<boolean>;
}

/** The client; all its promises reject only with a {@link GovernanceApiError}. */
export class GovernanceApi implements IGovernanceApi {
  constructor(options: GovernanceApi.IOptions) {
    this._requests = new ServerRequests(options.serverSettings);
    this._jupyter = new ServerRequests(options.serverSettings, 'api');
  }

  state(path: string): Promise<IGovernanceState> {
    return this._requests.get('state', isState, { path });
  }

  config(): Promise<IGovernanceConfig> {
    return this._requests.get('config', isConfig);
  }

  async mayChange(): Promise<boolean> {
    const { permissions } = await this._jupyter.get('me', isIdentity, {
      permissions: JSON.stringify({ [RESOURCE]: ['write'] })
    });
    const actions = permissions[RESOURCE];
    return Array.isArray(actions) && actions.includes('write');
  }

  private readonly _requests: ServerRequests;
  private readonly _jupyter: ServerRequests;
}

/** A namespace for `GovernanceApi` statics. */
export namespace GovernanceApi {
  /** The instantiation options. */
  export interface IOptions {
    /** The server's connection settings. */
    serverSettings: ServerConnection.ISettings;
  }
}
