/** Returns what was decided according to an audit record. */

import type { IAuditRecord, Outcome } from '../protocol/audit';

/** The code in the audit record of an approval request that expired because no user decided in time. */
export const EXPIRED = 'APPROVAL_TIMEOUT';

function isRequest({ code, detail, event }: IAuditRecord): boolean {
  return (
    event === 'approval_requested' ||
    event === 'ask' ||
    (code === 'APPROVAL_REQUIRED' && detail.approval_requested !== false)
  );
}

/** The decision in an audit record; `none` if the record is about no decision. */
export type Verdict = Outcome | 'none';

/**
 * Return the decision in an audit record.
 *
 * It is `none` for an action that waits for approval; earlier versions recorded that as denied.
 */
export function verdictOf(record: IAuditRecord): Verdict {
  return isRequest(record) || record.outcome === null ? 'none' : record.outcome;
}
