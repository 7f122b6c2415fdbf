/** Types and guards of the bodies about ceilings, notebooks, kernels and the user's permissions. */

import { isRecord } from './guards';
import type { components } from './openapi';

export { isEnvelopes, isKernels, isNotebookPage } from './bodies';

type Schemas = components['schemas'];

/** The name under which the server's authorizer knows this extension. */
export const RESOURCE = 'aumos-governance';

/** A ceiling that limits sessions together. */
export type IEnvelope = Schemas['Envelope'];

/** A kernel of the server. */
export type IKernel = Schemas['Kernels']['kernels'][number];

/** Whether a value is the body of Jupyter Server's `api/me`. */
export function isIdentity(
  value: unknown
): value is { permissions: Record<string, unknown> } {
  return isRecord(value) && isRecord(value.permissions);
}
