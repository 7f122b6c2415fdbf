/** Reads the audit record from the REST API. */

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

/** Which records: those that match all given filters. The names are the wire's. */
export interface IAuditFilters {
  /** The notebook, by its path below the server's root; all notebooks if it is omitted. */
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

/** Reads the audit record; it cannot change it. */
export interface IAuditApi {
  /** One page of records, newest first; `cursor` comes from the page before. */
  records(
    filters: IAuditFilters,
    limit: number,
    cursor?: string | null
  ): Promise<IAuditPage>;
  /** The sums of the records by tool, agent or period, by name. */
  sums(by: SumsBy, filters: IAuditFilters): Promise<IAuditSums>;
  /** Whether the records of a notebook's last session, or all, are intact. */
  verify(path: string | null): Promise<IVerification>;
  /** The URL that exports records as a file. */
  exportUrl(format: ExportFormat, filters: IAuditFilters): string;
}

/** The client. */
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
