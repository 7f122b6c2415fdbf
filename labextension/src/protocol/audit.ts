/** The bodies of the audit record: its pages, what they add up to, and whether they are what was written. */

import {
  type Guard,
  hasMembers,
  isCount,
  isDecimal,
  isListOf,
  isNullOr,
  isOneOf,
  isRecord,
  isString,
  isTextOrNull,
  isTime
} from './guards';
import { type ICell, isCell } from './waiting';

/** How something that was asked ended. */
export type Outcome = 'allow' | 'deny' | 'allow_with_caveat';

/** The outcomes, in the order in which a person chooses among them. */
export const OUTCOMES: readonly Outcome[] = [
  'allow',
  'deny',
  'allow_with_caveat'
];

/** One record of a hash chain. */
export interface IAuditRecord {
  readonly record_id: string;
  /** The session's id, or `ledger` for what belongs to no session. */
  readonly chain: string;
  /** Its place in the chain, from 1. */
  readonly seq: number;
  readonly at: string;
  /** What happened, for example `spend` or `open`. */
  readonly event: string;
  readonly outcome: Outcome;
  readonly code: string | null;
  readonly reasons: readonly string[];
  /** A person's name, or `kernel` or `server`. */
  readonly actor: string;
  readonly notebook: string;
  readonly agent_id: string | null;
  readonly tool: string | null;
  readonly action_type: string | null;
  readonly resource: string | null;
  readonly cell: ICell;
  /** What was asked for. */
  readonly amount: string;
  /** What it added to what is spent. */
  readonly spent_delta: string;
  readonly held_delta: string;
  readonly charge_id: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly previous_hash: string;
  readonly hash: string;
}

/** One page of records, newest first; `cursor` asks for the next one, and null ends. */
export interface IAuditPage {
  readonly records: readonly IAuditRecord[];
  readonly cursor: string | null;
}

/** What records are summed by. */
export type SumsBy = 'tool' | 'agent' | 'day' | 'hour' | 'minute';

/** What the records of one tool, agent or stretch of time add up to. */
export interface IAuditSum {
  readonly name: string;
  readonly records: number;
  readonly denied: number;
  readonly spent: string;
}

export interface IAuditSums {
  readonly by: SumsBy;
  readonly sums: readonly IAuditSum[];
}

/** What a walk over the hash chains found. */
export interface IVerification {
  readonly ok: boolean;
  /** How many records were found intact. */
  readonly checked: number;
  /** The head of each chain, by chain. */
  readonly heads: Readonly<Record<string, string>>;
  /** One sentence on the first bad record. */
  readonly problem: string | null;
  readonly chain: string | null;
  readonly seq: number | null;
}

/** Whether a value is a page of records. */
export function isAuditPage(value: unknown): value is IAuditPage {
  return hasMembers(value, {
    records: list => isListOf(list, isAuditRecord),
    cursor: isTextOrNull
  });
}

/** Whether a value is a list of sums. */
export function isAuditSums(value: unknown): value is IAuditSums {
  return hasMembers(value, {
    by: by => isOneOf(by, ['tool', 'agent', 'day', 'hour', 'minute']),
    sums: list =>
      isListOf(list, sum =>
        hasMembers(sum, {
          name: isString,
          records: isCount,
          denied: isCount,
          spent: isDecimal
        })
      )
  });
}

/** Whether a value is what a verification found. */
export function isVerification(value: unknown): value is IVerification {
  return hasMembers(value, {
    ok: ok => typeof ok === 'boolean',
    checked: isCount,
    heads: heads =>
      isRecord(heads) && Object.values(heads).every(head => isString(head)),
    problem: isTextOrNull,
    chain: isTextOrNull,
    seq: seq => isNullOr(seq, isCount)
  });
}

export function isAuditRecord(value: unknown): value is IAuditRecord {
  return hasMembers(value, RECORD);
}

const RECORD: Readonly<Record<string, Guard>> = {
  record_id: isString,
  chain: isString,
  seq: isCount,
  at: isTime,
  event: isString,
  outcome: outcome => isOneOf(outcome, OUTCOMES),
  code: isTextOrNull,
  reasons: list => isListOf(list, isString),
  actor: isString,
  notebook: isString,
  agent_id: isTextOrNull,
  tool: isTextOrNull,
  action_type: isTextOrNull,
  resource: isTextOrNull,
  cell: isCell,
  amount: isDecimal,
  spent_delta: isDecimal,
  held_delta: isDecimal,
  charge_id: isTextOrNull,
  detail: isRecord,
  previous_hash: isString,
  hash: isString
};
