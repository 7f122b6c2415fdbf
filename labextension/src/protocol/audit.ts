/** The bodies of the audit record: its pages, what they add up to, and whether they are what was written. */

import type { components } from './openapi';

export { isAuditPage, isAuditSums, isVerification } from './bodies';

type Schemas = components['schemas'];

/** How a request ended. */
export type Outcome = Schemas['Outcome'];

/** The outcomes, in the order in which a user chooses among them. */
export const OUTCOMES: readonly Outcome[] = [
  'allow',
  'deny',
  'allow_with_caveat'
];

/** One record of a hash chain. */
export type IAuditRecord = Schemas['AuditRecord'];

/** One page of records, newest first; `cursor` requests the next one, and null ends. */
export type IAuditPage = Schemas['AuditPage'];

/** What the records of one tool, agent or stretch of time add up to. */
export type IAuditSum = Schemas['AuditSum'];

export type IAuditSums = Schemas['AuditSums'];

/** What records are summed by. */
export type SumsBy = IAuditSums['by'];

/** What a walk over the hash chains found. */
export type IVerification = Schemas['Verification'];
