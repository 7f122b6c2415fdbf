/** The bodies of what surrounds a session: enclosing ceilings, all notebooks, a user's permissions. */

import { isRecord } from './guards';
import type { components } from './openapi';

export { isEnvelopes, isKernels, isNotebookPage } from './bodies';

type Schemas = components['schemas'];

/** The resource by which the server's authorizer decides. */
export const RESOURCE = 'aumos-governance';

/** A ceiling that encloses sessions. */
export type IEnvelope = Schemas['Envelope'];

/** A kernel of the server. */
export type IKernel = Schemas['Kernels']['kernels'][number];

/** Whether a value is Jupyter's own body of a user and of what the user may do. */
export function isIdentity(
  value: unknown
): value is { permissions: Record<string, unknown> } {
  return isRecord(value) && isRecord(value.permissions);
}
