/** The requests that list, create, assign and revoke keys of the gateway. */

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

/** What the user chose for a new key: its name, trust level and budget. */
export interface INewKey {
  readonly name: string;
  readonly trust_level: number;
  /** The budget in USD, as decimal text. */
  readonly budget: string;
}

/**
 * The requests about the gateway's keys.
 *
 * The argument `key` is an idempotency key and not a key of the gateway: a request that is repeated with it has no
 * further effect.
 */
export interface IGatewayApi {
  /** Load the valid keys of kernels, terminals, commands and the user's programs, oldest first. */
  keys(): Promise<readonly IGatewayKey[]>;
  /** Create a key for a program of the user. Only this response contains the key's secret. */
  create(wanted: INewKey, key: string): Promise<ICreatedKey>;
  /**
   * Assign the key with an id, a terminal's, to the notebook at a path, whose budget then pays for the terminal's
   * calls.
   */
  bind(id: string, path: string, key: string): Promise<IGatewayKey>;
  /** Revoke the key with an id, and end its in-flight calls. */
  revoke(id: string, key: string): Promise<unknown>;
  /** Revoke all keys of the notebook at a path, and end their in-flight calls. Returns the revoked keys. */
  stop(path: string, key: string): Promise<readonly IGatewayKey[]>;
}

/** Sends the requests of {@link IGatewayApi} to the server. */
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
