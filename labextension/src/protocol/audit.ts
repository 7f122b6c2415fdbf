/** The bodies of the audit record: its pages, their sums, and the result of its verification. */

import type { components } from './openapi';

export { isAuditPage, isAuditSums, isVerification } from './bodies';

type Schemas = components['schemas'];

/** How a request ended. */
export type Outcome = Schemas['Outcome'];

/** The outcomes, in the order of the menu. */
export const OUTCOMES: readonly Outcome[] = [
  'allow',
  'deny',
  'allow_with_caveat'
];

/** One record of a hash chain. */
export type IAuditRecord = Schemas['AuditRecord'];

/** One page of records, newest first; `cursor` requests the next page, and is null on the last. */
export type IAuditPage = Schemas['AuditPage'];

/** The sums of the records of one tool, agent or period. */
export type IAuditSum = Schemas['AuditSum'];

export type IAuditSums = Schemas['AuditSums'];

/** What records are summed by. */
export type SumsBy = IAuditSums['by'];

/** The result of a verification of the hash chains. */
export type IVerification = Schemas['Verification'];
