/** The bodies about ceilings around a session, all notebooks, kernels and a user's permissions. */

import { isRecord } from './guards';
import type { components } from './openapi';

export { isEnvelopes, isKernels, isNotebookPage } from './bodies';

type Schemas = components['schemas'];

/** The resource that the server's authorizer checks. */
export const RESOURCE = 'aumos-governance';

/** A ceiling that encloses sessions. */
export type IEnvelope = Schemas['Envelope'];

/** A kernel of the server. */
export type IKernel = Schemas['Kernels']['kernels'][number];

/** Whether a value is Jupyter Server's own body about a user and their permissions. */
export function isIdentity(
  value: unknown
): value is { permissions: Record<string, unknown> } {
  return isRecord(value) && isRecord(value.permissions);
}
