/** The decision in an audit record. */

import type { IAuditRecord, Outcome } from '../protocol/audit';

/** The code of an approval request that expired. */
export const EXPIRED = 'APPROVAL_TIMEOUT';

function isRequest({ code, detail, event }: IAuditRecord): boolean {
  return (
    event === 'approval_requested' ||
    event === 'ask' ||
    (code === 'APPROVAL_REQUIRED' && detail.approval_requested !== false)
  );
}

/** The decision as a class for its colour; `none` if nothing was decided. */
export type Verdict = Outcome | 'none';

/**
 * The decision in a record.
 *
 * An action that waits for approval is not denied, although earlier versions recorded it so.
 */
export function verdictOf(record: IAuditRecord): Verdict {
  return isRequest(record) || record.outcome === null ? 'none' : record.outcome;
}
