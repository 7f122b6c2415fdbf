/** The types of the server's responses about the gateway's keys, and the guards that check them. */

import type { components } from './openapi';

export {
  isCreatedKey,
  isGatewayKey,
  isGatewayKeys,
  isRevokedKey,
  isStoppedKeys
} from './bodies';

type Schemas = components['schemas'];

/** A provider, such as OpenAI, whose API can be called through the gateway. */
export type IGatewayProvider = Schemas['GatewayProvider'];

/** A key with which a client may call the gateway, without the key's secret. */
export type IGatewayKey = Schemas['GatewayKey'];

/** A key that the user has just created, with its secret. */
export type ICreatedKey = Schemas['CreatedKey'];
