/**
 * Types and guards of the bodies of holds, approval requests, calls at a limit and reports, and of decisions on them.
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

/** The cell from which a request came; its fields are null if it came from none. */
export type ICell = Schemas['Cell'];

/** An amount that is held. */
export type IHold = Schemas['Hold'];

/** A request to the user to approve or deny one exact action. */
export type IApproval = Schemas['Approval'];

/** The calls of one session that wait at a limit on money. */
export type ILimitRequest = Schemas['LimitRequest'];

export type IDeniedAtLimit = Schemas['DeniedAtLimit'];

/** An action that was done at trust level 4, and that no user has acknowledged yet. */
export type IReport = Schemas['Report'];

/** The common fields of holds, approval requests and reports. */
export type IWaiting = Pick<
  IHold,
  'id' | 'notebook' | 'session_id' | 'tool' | 'agent_id' | 'cell' | 'at'
>;

/** A page of a list; its `after` requests the next page, and is null on the last. */
export interface IPage<T> {
  readonly entries: readonly T[];
  readonly after: string | null;
}

export type IResolutionResponse = Schemas['ResolutionResponse'];

export type ICorrectionResponse = Schemas['CorrectionResponse'];
