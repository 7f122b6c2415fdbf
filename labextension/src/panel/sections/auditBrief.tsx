import React from 'react';
import { ChainStatus } from '../../audit/chainStatus';
import { ExportLinks } from '../../audit/exportLinks';
import { eventWord, outcomeOf, subjectOf } from '../../audit/recordWords';
import { verdictOf } from '../../words/verdicts';
import { shortUsd } from '../../words/money';
import type { IAuditRecord } from '../../protocol/audit';
import { formatAge } from '../../widgets/ages';
import { Button } from '../../widgets/button';
import { useNow } from '../../widgets/clock';
import { revisionOf, useReading } from '../../widgets/hooks';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { ErrorLine, Note, OneLine } from '../../widgets/words';

/** How many records the panel shows. */
const NEWEST = 6;

/**
 * Opens the tab with the audit record of the notebook at a path, or of all notebooks if it is null; optionally with one
 * record in detail.
 */
export type OpenAudit = (path: string | null, record?: IAuditRecord) => void;

/**
 * Opens the tab with the audit record of a notebook, or of all if it is null, filtered to the requests denied today.
 */
export type ShowDenials = (path: string | null) => void;

/** Return the section with the newest audit records of a notebook and a button that opens the tab with all of them. */
export function auditSection(
  open: OpenAudit,
  showDenials: ShowDenials
): IPanelSection {
  return {
    id: 'audit',
    rank: 70,
    title: trans => trans.__('Audit'),
    isShown: ({ state }) => state?.session_id != null,
    Body: props => (
      <AuditBrief open={open} showDenials={showDenials} {...props} />
    )
  };
}

/** The newest records of the notebook, and whether the hash chain of its records is intact. */
function AuditBrief(
  props: ISectionProps & { open: OpenAudit; showDenials: ShowDenials }
): React.JSX.Element {
  const { api, model, open, path, showDenials, state, trans } = props;
  const now = useNow();
  const { value, message } = useReading(
    path ?? '',
    revisionOf(model, state),
    () => api.audit.records({ path }, NEWEST)
  );
  const records = value?.records ?? [];
  return (
    <>
      <ErrorLine message={message} />
      {value && records.length === 0 && (
        <Note>{trans.__('Nothing is recorded yet.')}</Note>
      )}
      <ul>
        {records.map(record => (
          <li key={record.record_id}>
            <Button
              className="aumos-AuditBrief-record"
              title={trans.__('Show in full')}
              onClick={() => open(path, record)}
            >
              <span
                className="aumos-Outcome"
                data-outcome={verdictOf(record)}
                title={outcomeOf(record, trans)}
              >
                <span className="aumos-Heard">{outcomeOf(record, trans)}</span>
              </span>
              <span className="aumos-AuditBrief-what">
                <bdi>{eventWord(record.event, trans)}</bdi>
                <OneLine text={subjectOf(record)} />
              </span>
              <span className="aumos-Money">
                {record.spent_delta !== '0' && shortUsd(record.spent_delta)}
              </span>
              <time dateTime={record.at} className="aumos-AuditBrief-age">
                {formatAge(record.at, now, trans)}
              </time>
            </Button>
          </li>
        ))}
      </ul>
      <ChainStatus
        api={api.audit}
        path={path}
        sessionId={state?.session_id ?? null}
        revision={revisionOf(model, state)}
        trans={trans}
      />
      <div className="aumos-Actions">
        <Button isLead onClick={() => open(path)}>
          {trans.__('Open audit')}
        </Button>
        <Button onClick={() => showDenials(path)}>
          {trans.__('Denied today')}
        </Button>
        <ExportLinks api={api.audit} filters={{ path }} trans={trans} />
      </div>
    </>
  );
}
