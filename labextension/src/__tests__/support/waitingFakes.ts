/** A fake server of waiting requests, and a fake audit record of how they ended. */

import type { IAuditApi } from '../../server/auditApi';
import type { IWaitingApi } from '../../server/waitingApi';
import type { IAuditRecord } from '../../protocol/audit';
import type {
  IApproval,
  ILimitRequest,
  IPage,
  IReport
} from '../../protocol/waiting';
import { approvals, audit, limits, reports } from './samples';

export function sampleApproval(changes: Partial<IApproval> = {}): IApproval {
  return { ...(approvals.valid.one.approvals[0] as IApproval), ...changes };
}

export function sampleLimit(
  changes: Partial<ILimitRequest> = {}
): ILimitRequest {
  return {
    ...(limits.valid.one.limit_requests[0] as ILimitRequest),
    ...changes
  };
}

export function sampleReport(changes: Partial<IReport> = {}): IReport {
  return { ...(reports.valid.one.reports[0] as IReport), ...changes };
}

export function sampleRecord(
  changes: Partial<IAuditRecord> = {}
): IAuditRecord {
  return { ...(audit.pages.more.records[0] as IAuditRecord), ...changes };
}

function page<T>(entries: readonly T[], after: string | null): IPage<T> {
  return { entries, after };
}

/** A server's lists, and the user's decisions on them. */
export class FakeWaiting {
  waiting: IApproval[] = [];
  atLimit: ILimitRequest[] = [];
  unseen: IReport[] = [];
  after: string | null = null;
  failure: Error | null = null;
  refusal: Error | null = null;
  reads = 0;
  readonly decisions: [string, string, string][] = [];
  readonly seen: string[] = [];

  readonly api = {
    approvals: () => this._read(this.waiting),
    reports: () => this._read(this.unseen),
    limitRequests: () => this._read(this.atLimit),
    denyAtLimit: (id: string, key: string) => {
      if (this.refusal) {
        return Promise.reject(this.refusal);
      }
      this.decisions.push([id, 'deny', key]);
      this.atLimit = this.atLimit.filter(request => request.id !== id);
      return Promise.resolve({ denied: 1 });
    },
    decide: (approval: IApproval, decision: string, key: string) => {
      if (this.refusal) {
        return Promise.reject(this.refusal);
      }
      this.decisions.push([approval.id, decision, key]);
      this.waiting = this.waiting.filter(({ id }) => id !== approval.id);
      return Promise.resolve({
        ...approval,
        shown: null,
        decided_by: 'ada',
        decided_at: '2026-11-22T12:01:00.000000Z'
      });
    },
    acknowledge: (id: string) => {
      this.seen.push(id);
      this.unseen = this.unseen.filter(report => report.id !== id);
      return Promise.resolve(sampleReport({ id, acknowledged_by: 'ada' }));
    }
  } as unknown as IWaitingApi;

  private _read<T>(entries: T[]): Promise<IPage<T>> {
    this.reads += 1;
    return this.failure
      ? Promise.reject(this.failure)
      : Promise.resolve(page([...entries], this.after));
  }
}

/** An audit record with the records of a test. */
export class FakeTrail {
  records: IAuditRecord[] = [];
  readonly requested: unknown[] = [];

  readonly api = {
    records: (filters: unknown) => {
      this.requested.push(filters);
      return Promise.resolve({ records: this.records, cursor: null });
    }
  } as unknown as IAuditApi;
}
