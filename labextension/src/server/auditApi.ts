/** What the server's REST API tells of the audit record. */

import type { ServerConnection } from '@jupyterlab/services';
import { ServerRequests } from './requests';
import {
  type IAuditPage,
  type IAuditSums,
  isAuditPage,
  isAuditSums,
  isVerification,
  type IVerification,
  type Outcome,
  type SumsBy
} from '../protocol/audit';

/** Which records: those that match all that is given. The names are the wire's. */
export interface IAuditFilters {
  /** The notebook, by its path below the server's root; all notebooks where it is left out. */
  readonly path?: string | null;
  readonly session_id?: string | null;
  readonly agent_id?: string | null;
  readonly outcome?: Outcome | null;
  readonly event?: string | null;
  readonly tool?: string | null;
  /** Text that a record contains. */
  readonly text?: string | null;
  /** The earliest time, inclusive, in ISO 8601. */
  readonly since?: string | null;
  /** The latest time, exclusive, in ISO 8601. */
  readonly until?: string | null;
}

/** The kinds of file that records are exported as. */
export type ExportFormat = 'csv' | 'jsonl';

/** The audit record; nothing here changes it. */
export interface IAuditApi {
  /** One page of records, newest first; `cursor` is that of the page before. */
  records(
    filters: IAuditFilters,
    limit: number,
    cursor?: string | null
  ): Promise<IAuditPage>;
  /** What the records of each tool, agent or stretch of time add up to, by name. */
  sums(by: SumsBy, filters: IAuditFilters): Promise<IAuditSums>;
  /** Whether the records of a notebook's last session, or all, are those that were written. */
  verify(path: string | null): Promise<IVerification>;
  /** Where a file of the records can be downloaded. */
  exportUrl(format: ExportFormat, filters: IAuditFilters): string;
}

/** The client; every promise it gives rejects with a `GovernanceApiError` only. */
export class AuditApi implements IAuditApi {
  constructor(options: AuditApi.IOptions) {
    this._requests = new ServerRequests(options.serverSettings);
  }

  records(
    filters: IAuditFilters,
    limit: number,
    cursor: string | null = null
  ): Promise<IAuditPage> {
    return this._requests.get('audit', isAuditPage, {
      ...filters,
      limit,
      cursor
    });
  }

  sums(by: SumsBy, filters: IAuditFilters): Promise<IAuditSums> {
    return this._requests.get('audit/sums', isAuditSums, { ...filters, by });
  }

  verify(path: string | null): Promise<IVerification> {
    return this._requests.get('audit/verify', isVerification, { path });
  }

  exportUrl(format: ExportFormat, filters: IAuditFilters): string {
    return this._requests.url('audit/export', { ...filters, format });
  }

  private readonly _requests: ServerRequests;
}

/** A namespace for `AuditApi` statics. */
export namespace AuditApi {
  /** The instantiation options. */
  export interface IOptions {
    /** The server to ask. */
    serverSettings: ServerConnection.ISettings;
  }
}
