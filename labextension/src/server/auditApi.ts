/** The requests about the audit record: load, sum, verify and export records. */

import { ApiClient } from './requests';
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

/**
 * Criteria for audit records: a record must match all criteria that are set. Their names are those of the REST API's
 * query parameters.
 */
export interface IAuditFilters {
  /** The server-local path of a notebook; if omitted, the records of all notebooks match. */
  readonly path?: string | null;
  readonly session_id?: string | null;
  readonly agent_id?: string | null;
  readonly outcome?: Outcome | null;
  readonly event?: string | null;
  readonly tool?: string | null;
  /** A text that some field of the record contains. */
  readonly text?: string | null;
  /** The earliest time, inclusive, in ISO 8601. */
  readonly since?: string | null;
  /** The latest time, exclusive, in ISO 8601. */
  readonly until?: string | null;
}

/** The file formats of an export. */
export type ExportFormat = 'csv' | 'jsonl';

/** The requests about the audit record. None of them changes anything. */
export interface IAuditApi {
  /**
   * Load a page of at most `limit` records, newest first. `cursor` is that of the page before; it is omitted for the
   * first page.
   */
  records(
    filters: IAuditFilters,
    limit: number,
    cursor?: string | null
  ): Promise<IAuditPage>;
  /** Load sums of the records, one for each tool, agent or interval of time, in the order of their names. */
  sums(by: SumsBy, filters: IAuditFilters): Promise<IAuditSums>;
  /** Have the server verify the hash chain of a notebook's last session; null means the chains of all sessions. */
  verify(path: string | null): Promise<IVerification>;
  /** Return the URL at which the browser downloads the records as a file. */
  exportUrl(format: ExportFormat, filters: IAuditFilters): string;
}

/** Sends the requests of {@link IAuditApi} to the server. */
export class AuditApi extends ApiClient implements IAuditApi {
  records(
    filters: IAuditFilters,
    limit: number,
    cursor: string | null = null
  ): Promise<IAuditPage> {
    return this.requests.get('audit', isAuditPage, {
      ...filters,
      limit,
      cursor
    });
  }

  sums(by: SumsBy, filters: IAuditFilters): Promise<IAuditSums> {
    return this.requests.get('audit/sums', isAuditSums, { ...filters, by });
  }

  verify(path: string | null): Promise<IVerification> {
    return this.requests.get('audit/verify', isVerification, { path });
  }

  exportUrl(format: ExportFormat, filters: IAuditFilters): string {
    return this.requests.url('audit/export', { ...filters, format });
  }
}
