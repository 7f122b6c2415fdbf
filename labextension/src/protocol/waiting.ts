/** The bodies of what waits for a person: holds, approvals and reports; and of what a person answers. */

import {
  hasMembers,
  isCount,
  isDecimal,
  isNullOr,
  isOneOf,
  isPageOf,
  isString,
  isTextOrNull,
  isTime
} from './guards';
import { type IGovernanceState, isState } from './state';

/** The cell in which something was asked, where it was asked in one. */
export interface ICell {
  readonly id: string | null;
  /** The execution count. */
  readonly count: number | null;
}

/** What holds, approvals and reports have in common. */
export interface IWaiting {
  readonly id: string;
  /** The notebook's path below the server's root. */
  readonly notebook: string;
  readonly session_id: string;
  readonly tool: string;
  readonly agent_id: string | null;
  readonly cell: ICell;
  /** Since when, in ISO 8601. */
  readonly at: string;
}

/** An amount set aside. */
export interface IHold extends IWaiting {
  /** `unresolved` once the kernel that made it is gone: then a person resolves it. */
  readonly state: 'held' | 'unresolved';
  readonly amount: string;
  readonly category: string | null;
  /** When it is released by itself; null for never. */
  readonly until: string | null;
}

/** What the server says of an approval. */
export type ApprovalStatus =
  'pending' | 'approved' | 'denied' | 'withdrawn' | 'used';

/** A question to a person: whether one exact action may be done. */
export interface IApproval extends IWaiting {
  readonly status: ApprovalStatus;
  /** Of exactly what is shown; an answer carries it back. */
  readonly digest: string;
  /** What is asked, as whoever asks wrote it; null once it is decided. */
  readonly shown: unknown;
  readonly amount: string;
  /** When it is withdrawn by itself; null for never. */
  readonly until: string | null;
  readonly decided_at: string | null;
  readonly decided_by: string | null;
}

/** What was done at trust level 4, until somebody has seen it. */
export interface IReport extends IWaiting {
  /** What was done, as whoever did it wrote it; null once it is acknowledged. */
  readonly shown: unknown;
  /** What it cost, where it cost something: the id of a charge. */
  readonly charge_id: string | null;
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
}

/** One page of a list; `after` asks for the next one, and null ends. */
export interface IPage<T> {
  readonly entries: readonly T[];
  readonly after: string | null;
}

/** How a hold ended. */
export interface IResolution {
  readonly hold_id: string;
  readonly outcome: 'settled' | 'released';
  readonly held: string;
  readonly spent: string;
  readonly overrun: boolean;
  readonly record_id: string;
}

export interface IResolutionAnswer {
  readonly resolution: IResolution;
  readonly state: IGovernanceState | null;
}

/** What a person took back of a charge. */
export interface ICorrection {
  readonly id: string;
  readonly charge_id: string;
  readonly amount: string;
  /** What of the charge still counts. */
  readonly left: string;
  readonly record_id: string;
}

export interface ICorrectionAnswer {
  readonly correction: ICorrection;
  readonly state: IGovernanceState | null;
}

/** Whether a value is a page of holds. */
export const isHoldPage = isPageOf('holds', isHold);

/** Whether a value is a page of approvals. */
export const isApprovalPage = isPageOf('approvals', isApproval);

/** Whether a value is a page of reports. */
export const isReportPage = isPageOf('reports', isReport);

export function isHold(value: unknown): value is IHold {
  return (
    isWaiting(value) &&
    hasMembers(value, {
      state: state => isOneOf(state, ['held', 'unresolved']),
      amount: isDecimal,
      category: isTextOrNull,
      until: isTimeOrNull
    })
  );
}

export function isApproval(value: unknown): value is IApproval {
  return (
    isWaiting(value) &&
    hasMembers(value, {
      status: status =>
        isOneOf(status, ['pending', 'approved', 'denied', 'withdrawn', 'used']),
      digest: isString,
      amount: isDecimal,
      until: isTimeOrNull,
      decided_at: isTimeOrNull,
      decided_by: isTextOrNull
    })
  );
}

export function isReport(value: unknown): value is IReport {
  return (
    isWaiting(value) &&
    hasMembers(value, {
      charge_id: isTextOrNull,
      acknowledged_at: isTimeOrNull,
      acknowledged_by: isTextOrNull
    })
  );
}

/** Whether a value is the answer to a settlement or a release. */
export function isResolutionAnswer(value: unknown): value is IResolutionAnswer {
  return hasMembers(value, {
    resolution: body =>
      hasMembers(body, {
        hold_id: isString,
        outcome: word => isOneOf(word, ['settled', 'released']),
        held: isDecimal,
        spent: isDecimal,
        overrun: flag => typeof flag === 'boolean',
        record_id: isString
      }),
    state: isStateOrNull
  });
}

/** Whether a value is the answer to a correction. */
export function isCorrectionAnswer(value: unknown): value is ICorrectionAnswer {
  return hasMembers(value, {
    correction: body =>
      hasMembers(body, {
        id: isString,
        charge_id: isString,
        amount: isDecimal,
        left: isDecimal,
        record_id: isString
      }),
    state: isStateOrNull
  });
}

/** Whether a value names a cell. */
export function isCell(value: unknown): value is ICell {
  return hasMembers(value, {
    id: isTextOrNull,
    count: count => isNullOr(count, isCount)
  });
}

function isWaiting(value: unknown): boolean {
  return hasMembers(value, {
    id: isString,
    notebook: isString,
    session_id: isString,
    tool: isString,
    agent_id: isTextOrNull,
    cell: isCell,
    at: isTime
  });
}

function isTimeOrNull(value: unknown): boolean {
  return isNullOr(value, isTime);
}

function isStateOrNull(value: unknown): boolean {
  return isNullOr(value, isState);
}
