/** Loads, verifies and exports the audit record. */

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

/** Criteria for audit records: a record must match all that are set. The names are those of the REST API. */
export interface IAuditFilters {
  /** The path of the notebook on the server; records of all notebooks match if omitted. */
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

/** The file formats of an export. */
export type ExportFormat = 'csv' | 'jsonl';

/** The requests about the audit record, which change nothing. */
export interface IAuditApi {
  /** Load a page of records, newest first; `cursor` is that of the previous page, omitted for the first. */
  records(
    filters: IAuditFilters,
    limit: number,
    cursor?: string | null
  ): Promise<IAuditPage>;
  /** Load the sums of the records for each tool, agent or interval, ordered by its name. */
  sums(by: SumsBy, filters: IAuditFilters): Promise<IAuditSums>;
  /** Let the server verify the records of a notebook's last session; null for all records. */
  verify(path: string | null): Promise<IVerification>;
  /** Return the URL from which the browser downloads the records as a file. */
  exportUrl(format: ExportFormat, filters: IAuditFilters): string;
}

/** The client of these endpoints. */
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
