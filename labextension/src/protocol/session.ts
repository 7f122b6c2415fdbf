/**
 * The types of the server's responses about ceilings, kernels and the user's permissions, and the guards that check
 * them.
 */

import { isRecord } from './guards';
import type { components } from './openapi';

export { isEnvelopes, isKernels, isNotebookPage } from './bodies';

type Schemas = components['schemas'];

/** The name of this extension's resource in Jupyter Server's authorizer and in the permissions of `api/me`. */
export const RESOURCE = 'aumos-governance';

/** A shared ceiling, that is, a limit on what several sessions spend together. */
export type IEnvelope = Schemas['Envelope'];

/** A running kernel of the server, and whether the server can govern it. */
export type IKernel = Schemas['Kernels']['kernels'][number];

/** Whether a value is the response of Jupyter Server's `GET /api/me`. */
export function isIdentity(
  value: unknown
): value is { permissions: Record<string, unknown> } {
  return isRecord(value) && isRecord(value.permissions);
}
