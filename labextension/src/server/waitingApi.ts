/**
 * The requests that load what waits for the user (holds, approvals, calls at a limit, reports) and send the user's
 * decisions.
 */

import { ApiClient } from './requests';
import {
  type IApproval,
  type ICorrectionResponse,
  type IDeniedAtLimit,
  type IHold,
  type ILimitRequest,
  type IPage,
  type IReport,
  type IResolutionResponse,
  isApproval,
  isApprovalPage,
  isCorrectionResponse,
  isDeniedAtLimit,
  isHoldPage,
  isLimitRequests,
  isReport,
  isReportPage,
  isResolutionResponse
} from '../protocol/waiting';

/** Which notebook's entries to load, those of all notebooks if omitted, and which page of them. */
export interface IPageOptions {
  readonly path?: string | null;
  readonly after?: string | null;
  readonly limit?: number;
}

/**
 * The requests that load what waits for the user, and those that send the user's decisions.
 *
 * The argument `key` is an idempotency key: a request that is repeated with the same key has no further effect.
 */
export interface IWaitingApi {
  /** Load the pending holds, oldest first. */
  holds(options?: IPageOptions): Promise<IPage<IHold>>;
  /** Load the waiting approval requests, oldest first. */
  approvals(options?: IPageOptions): Promise<IPage<IApproval>>;
  /** Load the calls that wait at a limit, with one entry for each session; all are on one page. */
  limitRequests(): Promise<IPage<ILimitRequest>>;
  /** Deny all calls of a session that wait at a limit; `id` is that of the session's entry. */
  denyAtLimit(id: string, key: string): Promise<IDeniedAtLimit>;
  /** Load the reports that no user has acknowledged, oldest first. */
  reports(options?: IPageOptions): Promise<IPage<IReport>>;
  /** Settle a hold whose outcome is unknown: charge an amount in USD for the call. */
  settle(id: string, amount: string, key: string): Promise<IResolutionResponse>;
  /** Release a hold whose outcome is unknown, because the call cost nothing. */
  release(id: string, key: string): Promise<IResolutionResponse>;
  /**
   * Approve or deny an approval request. The decision holds only for the action that the user saw, whose digest is sent
   * along.
   */
  decide(
    approval: IApproval,
    decision: 'approve' | 'deny',
    key: string
  ): Promise<IApproval>;
  /** Acknowledge a report. */
  acknowledge(id: string, key: string): Promise<IReport>;
  /** Subtract an amount from a charge that was too high, with a reason. */
  correct(
    correction: IWaitingApi.ICorrection,
    key: string
  ): Promise<ICorrectionResponse>;
}

/** A namespace for the types that belong to `IWaitingApi`. */
export namespace IWaitingApi {
  /** Which charge to correct, how much to subtract and why. */
  export interface ICorrection {
    readonly charge_id: string;
    /** The amount to subtract in USD, as decimal text. */
    readonly amount: string;
    readonly reason: string;
  }
}

/** Sends the requests of {@link IWaitingApi} to the server. */
export class WaitingApi extends ApiClient implements IWaitingApi {
  async holds(options: IPageOptions = {}): Promise<IPage<IHold>> {
    const page = await this.requests.get('holds', isHoldPage, { ...options });
    return { entries: page.holds, after: page.after };
  }

  async approvals(options: IPageOptions = {}): Promise<IPage<IApproval>> {
    const page = await this.requests.get('approvals', isApprovalPage, {
      ...options
    });
    return { entries: page.approvals, after: page.after };
  }

  async limitRequests(): Promise<IPage<ILimitRequest>> {
    const found = await this.requests.get('limit-requests', isLimitRequests);
    return { entries: found.limit_requests, after: null };
  }

  denyAtLimit(id: string, key: string): Promise<IDeniedAtLimit> {
    return this.requests.send(
      'POST',
      `limit-requests/${encodeURIComponent(id)}/deny`,
      isDeniedAtLimit,
      { key }
    );
  }

  async reports(options: IPageOptions = {}): Promise<IPage<IReport>> {
    const page = await this.requests.get('reports', isReportPage, {
      ...options
    });
    return { entries: page.reports, after: page.after };
  }

  settle(
    id: string,
    amount: string,
    key: string
  ): Promise<IResolutionResponse> {
    return this.requests.send(
      'POST',
      `holds/${encodeURIComponent(id)}/settle`,
      isResolutionResponse,
      { body: { amount }, key }
    );
  }

  release(id: string, key: string): Promise<IResolutionResponse> {
    return this.requests.send(
      'POST',
      `holds/${encodeURIComponent(id)}/release`,
      isResolutionResponse,
      { key }
    );
  }

  decide(
    approval: IApproval,
    decision: 'approve' | 'deny',
    key: string
  ): Promise<IApproval> {
    return this.requests.send(
      'POST',
      `approvals/${encodeURIComponent(approval.id)}`,
      isApproval,
      { body: { decision, digest: approval.digest }, key }
    );
  }

  acknowledge(id: string, key: string): Promise<IReport> {
    return this.requests.send(
      'POST',
      `reports/${encodeURIComponent(id)}/acknowledge`,
      isReport,
      { key }
    );
  }

  correct(
    correction: IWaitingApi.ICorrection,
    key: string
  ): Promise<ICorrectionResponse> {
    return this.requests.send('POST', 'corrections', isCorrectionResponse, {
      body: { ...correction },
      key
    });
  }
}
