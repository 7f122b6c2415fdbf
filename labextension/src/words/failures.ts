/** The sentence for the user about why a request to the server failed. */

import type { TranslationBundle } from '@jupyterlab/translation';

/** The code of the error if a request got no response. */
export const UNREACHABLE = 'SERVER_UNREACHABLE';

/**
 * Return a sentence for the user about why a request failed.
 *
 * If the server did not respond, it is this package's own sentence: the browser's message is technical and not
 * translated.
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
