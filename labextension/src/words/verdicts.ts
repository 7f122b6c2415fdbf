/** What a record says was decided. */

import type { IAuditRecord, Outcome } from '../protocol/audit';

/** The code of an approval that nobody decided in time. */
export const EXPIRED = 'APPROVAL_TIMEOUT';

function isRequest({ code, detail, event }: IAuditRecord): boolean {
  return (
    event === 'approval_requested' ||
    event === 'ask' ||
    (code === 'APPROVAL_REQUIRED' && detail.approval_requested !== false)
  );
}

/** What a record says was decided, for its colour; `none` where nothing was. */
export type Verdict = Outcome | 'none';

/**
 * What a record says was decided.
 *
 * An action that waits for approval is not denied: earlier versions recorded it so.
 */
export function verdictOf(record: IAuditRecord): Verdict {
  return isRequest(record) || record.outcome === null ? 'none' : record.outcome;
}
