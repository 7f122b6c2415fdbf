/**
 * The types of the server's responses about holds, approval requests, calls at a limit and reports, and about decisions
 * on them; and the guards that check them.
 */

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

/**
 * The cell whose code sent a request: its id and execution count, both null if the request did not come from a cell.
 */
export type ICell = Schemas['Cell'];

/** An amount that is held for a call until its cost is known. */
export type IHold = Schemas['Hold'];

/** A request that the user approve or deny one exact action. */
export type IApproval = Schemas['Approval'];

/** The calls of one session that wait because they need more money than a limit has left. */
export type ILimitRequest = Schemas['LimitRequest'];

/** The response to the denial of the calls that wait at a limit: how many calls were denied. */
export type IDeniedAtLimit = Schemas['DeniedAtLimit'];

/** A report on an action that was done at trust level 4 and that no user has acknowledged yet. */
export type IReport = Schemas['Report'];

/** The fields that holds, approval requests, calls at a limit and reports have in common. */
export type IWaiting = Pick<
  IHold,
  'id' | 'notebook' | 'session_id' | 'tool' | 'agent_id' | 'cell' | 'at'
>;

/** A page of a list. Its `after` requests the next page; null on the last page. */
export interface IPage<T> {
  readonly entries: readonly T[];
  readonly after: string | null;
}

/** The response to the settlement or release of a hold, with the notebook's new state. */
export type IResolutionResponse = Schemas['ResolutionResponse'];

/** The response to the correction of a charge, with the notebook's new state. */
export type ICorrectionResponse = Schemas['CorrectionResponse'];
