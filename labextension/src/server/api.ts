/** Reads a notebook's governance state from the REST API. */

import { ApiClient, ServerRequests } from './requests';
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

/** The client. */
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
