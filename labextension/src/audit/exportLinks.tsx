import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type {
  ExportFormat,
  IAuditApi,
  IAuditFilters
} from '../server/auditApi';

const FORMATS: readonly [ExportFormat, string][] = [
  ['csv', 'CSV'],
  ['jsonl', 'JSON Lines']
];

/** Links with which the browser downloads all records that match the filters, as CSV and as JSON Lines. */
export function ExportLinks(props: {
  api: IAuditApi;
  filters: IAuditFilters;
  trans: TranslationBundle;
}): React.JSX.Element {
  return (
    <p className="aumos-ExportLinks">
      {props.trans.__('Export:')}{' '}
      {FORMATS.map(([format, name]) => (
        <a
          key={format}
          href={props.api.exportUrl(format, props.filters)}
          download=""
          data-format={format}
        >
          {name}
        </a>
      ))}
    </p>
  );
}
