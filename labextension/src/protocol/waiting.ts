/** The bodies of holds, approval requests, calls at a limit and reports, and of a user's decisions on them. */

import type { components } from './openapi';

export {
  isApproval,
  isApprovalPage,
  isCorrectionResponse,
  isDeniedAtLimit,
  isHoldPage,
  isLimitRequests,
  isReport,
  isReportPage,
  isResolutionResponse
} from './bodies';

type Schemas = components['schemas'];

/** The cell of a request, where it came from one. */
export type ICell = Schemas['Cell'];

/** An amount that is held. */
export type IHold = Schemas['Hold'];

/** A request that a user approves or denies one exact action. */
export type IApproval = Schemas['Approval'];

/** The calls of one session that wait at a limit on money. */
export type ILimitRequest = Schemas['LimitRequest'];

export type IDeniedAtLimit = Schemas['DeniedAtLimit'];

/** An action that was done at trust level 4, until a user acknowledges it. */
export type IReport = Schemas['Report'];

/** The common fields of holds, approval requests and reports. */
export type IWaiting = Pick<
  IHold,
  'id' | 'notebook' | 'session_id' | 'tool' | 'agent_id' | 'cell' | 'at'
>;

/** One page of a list; `after` requests the next page, and is null on the last. */
export interface IPage<T> {
  readonly entries: readonly T[];
  readonly after: string | null;
}

export type IResolutionResponse = Schemas['ResolutionResponse'];

export type ICorrectionResponse = Schemas['CorrectionResponse'];
