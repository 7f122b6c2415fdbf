/**
 * The requests of the page's model: a notebook's governance state, the server's configuration and the user's
 * permission.
 */

import { ApiClient, ServerRequests } from './requests';
import {
  type IGovernanceConfig,
  type IGovernanceState,
  isConfig,
  isState
} from '../protocol/state';
import { isIdentity, RESOURCE } from '../protocol/session';

/** The server requests that the model sends. */
export interface IGovernanceApi {
  /** Load the state of the notebook at a server-local path. */
  state(path: string): Promise<IGovernanceState>;
  /** Load the configuration that the server's administrator set. */
  config(): Promise<IGovernanceConfig>;
  /** Load whether Jupyter Server's authorizer lets the user change anything, such as trust levels and budgets. */
  mayChange(): Promise<boolean>;
}

/** Sends the requests of {@link IGovernanceApi} to the server. */
export class GovernanceApi extends ApiClient implements IGovernanceApi {
  constructor(options: ApiClient.IOptions) {
    super(options);
    this._jupyter = new ServerRequests(options.serverSettings, 'api');
  }

  state(path: string): Promise<IGovernanceState> {
    return this.requests.get('state', isState, { path });
  }

  config(): Promise<IGovernanceConfig> {
    return this.requests.get('config', isConfig);
  }

  async mayChange(): Promise<boolean> {
    const { permissions } = await this._jupyter.get('me', isIdentity, {
      permissions: JSON.stringify({ [RESOURCE]: ['write'] })
    });
    const actions = permissions[RESOURCE];
    return Array.isArray(actions) && actions.includes('write');
  }

  private readonly _jupyter: ServerRequests;
}
