/** The text about a failed request. */

import type { TranslationBundle } from '@jupyterlab/translation';

/** The code of the error of a request that got no response. */
export const UNREACHABLE = 'SERVER_UNREACHABLE';

/**
 * Return why a request failed, in a sentence for the user.
 *
 * If the server did not respond, the error's own message is the browser's, which is technical and not translated.
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
