/** Types and guards of the bodies about the gateway's keys. */

import type { components } from './openapi';

export {
  isCreatedKey,
  isGatewayKey,
  isGatewayKeys,
  isRevokedKey,
  isStoppedKeys
} from './bodies';

type Schemas = components['schemas'];

/** A provider whose API can be called through the gateway. */
export type IGatewayProvider = Schemas['GatewayProvider'];

/** A valid key, without its secret. */
export type IGatewayKey = Schemas['GatewayKey'];

/** A new key of the user, with its secret. */
export type ICreatedKey = Schemas['CreatedKey'];
