/** Types and guards of the bodies about the audit record: pages, sums, and the result of a verification. */

import type { components } from './openapi';

export { isAuditPage, isAuditSums, isVerification } from './bodies';

type Schemas = components['schemas'];

/** What was decided about a request. */
export type Outcome = Schemas['Outcome'];

/** The outcomes, in the order of the filter's menu. */
export const OUTCOMES: readonly Outcome[] = [
  'allow',
  'deny',
  'allow_with_caveat'
];

/** One record of a hash chain. */
export type IAuditRecord = Schemas['AuditRecord'];

/** A page of records, newest first; its `cursor` requests the next page, and is null on the last. */
export type IAuditPage = Schemas['AuditPage'];

/** The sums of the records of one tool, agent or period. */
export type IAuditSum = Schemas['AuditSum'];

export type IAuditSums = Schemas['AuditSums'];

/** What records are grouped by for their sums. */
export type SumsBy = IAuditSums['by'];

/** The result of a verification of the hash chains. */
export type IVerification = Schemas['Verification'];
