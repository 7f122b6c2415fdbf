/** Loads what waits for the user, and sends the user's decisions. */

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

/** The notebook of a list, or all notebooks if omitted, and which page of it to load. */
export interface IPageOptions {
  readonly path?: string | null;
  readonly after?: string | null;
  readonly limit?: number;
}

/**
 * The requests that load what waits for the user, and those that send decisions.
 *
 * The `key` of a decision is its idempotency key: a repeated request has no further effect.
 */
export interface IWaitingApi {
  /** Load the pending holds, oldest first. */
  holds(options?: IPageOptions): Promise<IPage<IHold>>;
  /** Load the waiting approval requests, oldest first. */
  approvals(options?: IPageOptions): Promise<IPage<IApproval>>;
  /** Load the calls that wait at a limit: one entry for each session, all in one page. */
  limitRequests(): Promise<IPage<ILimitRequest>>;
  /** Deny all calls of a session that wait at a limit. */
  denyAtLimit(id: string, key: string): Promise<IDeniedAtLimit>;
  /** Load the reports that no user has acknowledged, oldest first. */
  reports(options?: IPageOptions): Promise<IPage<IReport>>;
  /** Settle a hold with an unknown outcome for an amount in USD. */
  settle(id: string, amount: string, key: string): Promise<IResolutionResponse>;
  /** Release a hold with an unknown outcome, because the call cost nothing. */
  release(id: string, key: string): Promise<IResolutionResponse>;
  /** Approve or deny an approval request, bound to the digest of the action that the user saw. */
  decide(
    approval: IApproval,
    decision: 'approve' | 'deny',
    key: string
  ): Promise<IApproval>;
  /** Acknowledge a report. */
  acknowledge(id: string, key: string): Promise<IReport>;
  /** Correct a charge, or part of it, with a reason. */
  correct(
    correction: IWaitingApi.ICorrection,
    key: string
  ): Promise<ICorrectionResponse>;
}

/** A namespace for `IWaitingApi` statics. */
export namespace IWaitingApi {
  /** The charge to correct, the amount and the reason. */
  export interface ICorrection {
    readonly charge_id: string;
    /** In USD, as decimal text. */
    readonly amount: string;
    readonly reason: string;
  }
}

/** The client of these endpoints. */
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
