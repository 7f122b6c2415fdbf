/** The bodies of what waits for a user: holds, approvals and reports; and of what a user decides. */

import type { components } from './openapi';

export {
  isApproval,
  isApprovalPage,
  isCorrectionAnswer,
  isDeniedAtLimit,
  isHoldPage,
  isLimitRequests,
  isReport,
  isReportPage,
  isResolutionAnswer
} from './bodies';

type Schemas = components['schemas'];

/** The cell of a request, where it came from one. */
export type ICell = Schemas['Cell'];

/** An amount that is held. */
export type IHold = Schemas['Hold'];

/** A question to a user: whether one exact action may be done. */
export type IApproval = Schemas['Approval'];

/** The calls of one session that wait at a limit on money. */
export type ILimitRequest = Schemas['LimitRequest'];

export type IDeniedAtLimit = Schemas['DeniedAtLimit'];

/** What was done at trust level 4, until a user has acknowledged it. */
export type IReport = Schemas['Report'];

/** What holds, approvals and reports have in common. */
export type IWaiting = Pick<
  IHold,
  'id' | 'notebook' | 'session_id' | 'tool' | 'agent_id' | 'cell' | 'at'
>;

/** One page of a list; `after` requests the next one, and null ends. */
export interface IPage<T> {
  readonly entries: readonly T[];
  readonly after: string | null;
}

export type IResolutionAnswer = Schemas['ResolutionAnswer'];

export type ICorrectionAnswer = Schemas['CorrectionAnswer'];
