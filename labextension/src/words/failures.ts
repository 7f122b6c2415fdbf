/** Why a request failed, in a sentence for the user. */

import type { TranslationBundle } from '@jupyterlab/translation';

/** The code of a request that had no response. */
export const UNREACHABLE = 'SERVER_UNREACHABLE';

/**
 * Why a request failed, in a sentence for the user.
 *
 * Where the server did not respond, the error has only the browser's own words for it, in the browser's language.
 */
export function failureWords(
  reason: unknown,
  trans: TranslationBundle
): string {
  if (!(reason instanceof Error)) {
    return String(reason);
  }
  return 'code' in reason && reason.code === UNREACHABLE
    ? trans.__("Can't reach the server.")
    : reason.message;
}
