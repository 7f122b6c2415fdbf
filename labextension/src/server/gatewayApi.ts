/** Lists, issues and revokes the gateway's keys. */

import {
  type ICreatedKey,
  type IGatewayKey,
  isCreatedKey,
  isGatewayKey,
  isGatewayKeys,
  isRevokedKey,
  isStoppedKeys
} from '../protocol/gateway';
import { ApiClient } from './requests';

/** The user's choices for a new key. */
export interface INewKey {
  readonly name: string;
  readonly trust_level: number;
  /** In USD, as decimal text. */
  readonly budget: string;
}

/**
 * The keys of a server's gateway.
 *
 * The `key` of a change is its idempotency key: a repeated request has no further effect.
 */
export interface IGatewayApi {
  /** Load the valid keys of kernels, terminals, commands and the user's programs, oldest first. */
  keys(): Promise<readonly IGatewayKey[]>;
  /** Issue a key for a program; no later response contains its secret. */
  create(wanted: INewKey, key: string): Promise<ICreatedKey>;
  /** Assign a terminal's key to a notebook, whose budget then pays for the terminal's calls. */
  bind(id: string, path: string, key: string): Promise<IGatewayKey>;
  /** Revoke a key, and end its in-flight calls. */
  revoke(id: string, key: string): Promise<unknown>;
  /** Revoke all keys of a notebook, and end their in-flight calls. Returns the revoked keys. */
  stop(path: string, key: string): Promise<readonly IGatewayKey[]>;
}

/** The client of these endpoints. */
export class GatewayApi extends ApiClient implements IGatewayApi {
  async keys(): Promise<readonly IGatewayKey[]> {
    return (await this.requests.get('keys', isGatewayKeys)).keys;
  }

  create(wanted: INewKey, key: string): Promise<ICreatedKey> {
    return this.requests.send('POST', 'keys', isCreatedKey, {
      body: { ...wanted },
      key
    });
  }

  bind(id: string, path: string, key: string): Promise<IGatewayKey> {
    return this.requests.send('PATCH', endpoint(id), isGatewayKey, {
      body: { path },
      key
    });
  }

  revoke(id: string, key: string): Promise<unknown> {
    return this.requests.send('DELETE', endpoint(id), isRevokedKey, { key });
  }

  async stop(path: string, key: string): Promise<readonly IGatewayKey[]> {
    const { revoked } = await this.requests.send(
      'POST',
      'stop',
      isStoppedKeys,
      { parameters: { path }, key }
    );
    return revoked;
  }
}

function endpoint(id: string): string {
  return `keys/${encodeURIComponent(id)}`;
}
