/** What an audit record says was decided. */

import type { IAuditRecord, Outcome } from '../protocol/audit';

/** The code in the record of an approval request that expired. */
export const EXPIRED = 'APPROVAL_TIMEOUT';

function isRequest({ code, detail, event }: IAuditRecord): boolean {
  return (
    event === 'approval_requested' ||
    event === 'ask' ||
    (code === 'APPROVAL_REQUIRED' && detail.approval_requested !== false)
  );
}

/** The decision in a record; `none` if nothing was decided. */
export type Verdict = Outcome | 'none';

/**
 * Return the decision in a record.
 *
 * It is `none` for an action that waits for approval, which earlier versions recorded as denied.
 */
export function verdictOf(record: IAuditRecord): Verdict {
  return isRequest(record) || record.outcome === null ? 'none' : record.outcome;
}
