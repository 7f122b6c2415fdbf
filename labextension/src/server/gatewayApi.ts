/** The gateway's keys: what there is, and what a user changes of them. */

import type { ServerConnection } from '@jupyterlab/services';
import {
  type ICreatedKey,
  type IGatewayKey,
  isCreatedKey,
  isGatewayKey,
  isGatewayKeys,
  isRevokedKey,
  isStoppedKeys
} from '../protocol/gateway';
import { ServerRequests } from './requests';

/** What a user chooses of a key of their own. */
export interface INewKey {
  readonly name: string;
  readonly trust_level: number;
  /** In USD, as decimal text. */
  readonly budget: string;
}

/**
 * The keys of the gateway of a server that has one.
 *
 * The `key` of a change makes it safe to repeat: with the same key it is done once.
 */
export interface IGatewayApi {
  /** The valid keys of kernels, terminals, commands and the user's programs, oldest first. */
  keys(): Promise<readonly IGatewayKey[]>;
  /** Issue a key for a program; the response alone has the key itself. */
  create(wanted: INewKey, key: string): Promise<ICreatedKey>;
  /** Choose the notebook of a terminal. */
  bind(id: string, path: string, key: string): Promise<IGatewayKey>;
  /** Revoke a key, which ends what is under way with it. */
  revoke(id: string, key: string): Promise<unknown>;
  /** Revoke all keys of a notebook, and end what is under way with them; gives those that were revoked. */
  stop(path: string, key: string): Promise<readonly IGatewayKey[]>;
}

/** The client; every promise it gives rejects with a `GovernanceApiError` only. */
export class GatewayApi implements IGatewayApi {
  constructor(options: GatewayApi.IOptions) {
    this._requests = new ServerRequests(options.serverSettings);
  }

  async keys(): Promise<readonly IGatewayKey[]> {
    return (await this._requests.get('keys', isGatewayKeys)).keys;
  }

  create(wanted: INewKey, key: string): Promise<ICreatedKey> {
    return this._requests.send('POST', 'keys', isCreatedKey, {
      body: { ...wanted },
      key
    });
  }

  bind(id: string, path: string, key: string): Promise<IGatewayKey> {
    return this._requests.send('PATCH', endpoint(id), isGatewayKey, {
      body: { path },
      key
    });
  }

  revoke(id: string, key: string): Promise<unknown> {
    return this._requests.send('DELETE', endpoint(id), isRevokedKey, { key });
  }

  async stop(path: string, key: string): Promise<readonly IGatewayKey[]> {
    const { revoked } = await this._requests.send(
      'POST',
      'stop',
      isStoppedKeys,
      { parameters: { path }, key }
    );
    return revoked;
  }

  private readonly _requests: ServerRequests;
}

/** A namespace for `GatewayApi` statics. */
export namespace GatewayApi {
  /** The instantiation options. */
  export interface IOptions {
    serverSettings: ServerConnection.ISettings;
  }
}

function endpoint(id: string): string {
  return `keys/${encodeURIComponent(id)}`;
}
