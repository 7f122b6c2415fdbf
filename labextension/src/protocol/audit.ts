/**
 * The types of the server's responses about the audit record (pages, sums, the result of a verification), and the
 * guards that check them.
 */

import type { components } from './openapi';

export { isAuditPage, isAuditSums, isVerification } from './bodies';

type Schemas = components['schemas'];

/** What was decided about a request: `allow`, `deny` or `allow_with_caveat`. */
export type Outcome = Schemas['Outcome'];

/** All outcomes, in the order in which the audit filter's menu lists them. */
export const OUTCOMES: readonly Outcome[] = [
  'allow',
  'deny',
  'allow_with_caveat'
];

/** One record of the audit trail; each session's records form a hash chain. */
export type IAuditRecord = Schemas['AuditRecord'];

/** A page of records, newest first. Its `cursor` requests the next page; null on the last page. */
export type IAuditPage = Schemas['AuditPage'];

/** The number of records and their total spending for one tool, agent or period. */
export type IAuditSum = Schemas['AuditSum'];

/** The sums of all groups, and what the records were grouped by. */
export type IAuditSums = Schemas['AuditSums'];

/** What the records are grouped by before they are summed, for example `tool` or `day`. */
export type SumsBy = IAuditSums['by'];

/** The result of a verification of the hash chains. */
export type IVerification = Schemas['Verification'];
