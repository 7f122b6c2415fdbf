import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import React from 'react';
import type { IWaitingApi } from '../server/waitingApi';
import { textOf } from '../words/foreignText';
import { formatUsd } from '../words/money';
import type { Notation } from '../words/notation';
import type { IGovernanceConfig } from '../protocol/state';
import type { IAuditRecord } from '../protocol/audit';
import { Button } from '../widgets/button';
import { CellLink } from '../widgets/cellLink';
import { ForeignText } from '../widgets/foreignText';
import { useNotation } from '../widgets/notation';
import type { IGovernanceModel } from '../tokens';
import { CorrectionForm } from './correctionForm';
import {
  eventWord,
  isCorrectable,
  outcomeOf,
  requesterOf
} from './recordWords';
import { verdictOf } from '../words/verdicts';

/**
 * Shows all fields of one audit record, and, if the record is about a charge, a form with which the user corrects it.
 */
export function AuditDetail(props: AuditDetail.IProps): React.JSX.Element {
  const { record, trans } = props;
  const { charge_id: chargeId } = record;
  const notation = useNotation();
  const title = trans.__('Record %1', notation.count(record.seq));
  return (
    <section
      className="aumos-AuditDetail"
      aria-label={title}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          props.onClose();
        }
      }}
    >
      <header>
        <h2>
          {title}
          {' · '}
          <bdi>{eventWord(record.event, trans)}</bdi>
        </h2>
        <Button
          className="aumos-AuditDetail-close"
          label={trans.__('Close')}
          title={trans.__('Close')}
          onClick={props.onClose}
        >
          <closeIcon.react tag="span" />
        </Button>
      </header>
      <Fields
        fields={factFields(record, props.model.config, notation, trans)}
      />
      {chargeId !== null && isCorrectable(record) && (
        <CorrectionForm
          key={record.record_id}
          api={props.api}
          model={props.model}
          record={record}
          chargeId={chargeId}
          trans={trans}
          onDone={props.onCorrected}
        />
      )}
      <Fields fields={identifierFields(record, trans)} />
    </section>
  );
}

/** A namespace for the types that belong to `AuditDetail`. */
export namespace AuditDetail {
  /** The properties of the component `AuditDetail`. */
  export interface IProps {
    api: IWaitingApi;
    model: IGovernanceModel;
    record: IAuditRecord;
    trans: TranslationBundle;
    onClose: () => void;
    /** Called when the record's charge was corrected. */
    onCorrected: () => void;
  }
}

type Field = [name: string, value: React.ReactNode];

/** A list of field names and values; a field whose value is null is left out. */
function Fields(props: { fields: readonly Field[] }): React.JSX.Element {
  return (
    <dl className="aumos-AuditDetail-fields">
      {props.fields
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </dl>
  );
}

/** Return the identifiers and hashes of a record as pairs of a label and a value. */
function identifierFields(
  record: IAuditRecord,
  trans: TranslationBundle
): Field[] {
  return [
    [trans.__('Session'), record.chain],
    [trans.__('Charge'), record.charge_id],
    [trans.__('Record'), record.record_id],
    [trans.__('Hash'), record.hash],
    [trans.__('Previous hash'), record.previous_hash || null]
  ];
}

/**
 * Return what a record states about the request as pairs of a label and a value: the decision, the cost, and where the
 * request came from.
 */
function factFields(
  record: IAuditRecord,
  config: IGovernanceConfig | null,
  notation: Notation,
  trans: TranslationBundle
): Field[] {
  const text = (value: string | null): React.ReactNode =>
    value === null || value === '' ? null : (
      <ForeignText text={value} trans={trans} />
    );
  const usd = (value: string): string | null =>
    value === '0' ? null : formatUsd(value);
  return [
    [
      trans.__('Time'),
      <time key="time" dateTime={record.at} title={record.at}>
        {notation.moment(record.at)}
      </time>
    ],
    [
      trans.__('Outcome'),
      <span
        key="outcome"
        className="aumos-Outcome"
        data-outcome={verdictOf(record)}
      >
        {outcomeOf(record, trans)}
      </span>
    ],
    [trans.__('Reasons'), text(record.reasons.join('\n'))],
    [trans.__('Code'), text(record.code)],
    [trans.__('Amount'), usd(record.amount)],
    [trans.__('Spent'), usd(record.spent_delta)],
    [trans.__('Held'), usd(record.held_delta)],
    [trans.__('Tool'), text(record.tool)],
    [trans.__('Provider'), text(gatewayDetail(record, 'provider'))],
    [trans.__('Key'), text(gatewayDetail(record, 'key'))],
    [trans.__('Action'), text(record.action_type)],
    [trans.__('Resource'), text(record.resource)],
    [trans.__('Agent'), text(record.agent_id)],
    [trans.__('Requested by'), text(requesterOf(record, config, trans))],
    [trans.__('Notebook'), text(record.notebook)],
    [
      trans.__('Cell'),
      record.cell.id === null && record.cell.count === null ? null : (
        <CellLink cell={record.cell} path={record.notebook} trans={trans} />
      )
    ],
    [
      trans.__('Details'),
      Object.keys(record.detail).length === 0 ? null : (
        <ForeignText text={textOf(record.detail)} isCode trans={trans} />
      )
    ]
  ];
}

/**
 * Return one value of the record's `detail` for a call through the gateway; null if the record is about anything else,
 * or has no such value.
 */
function gatewayDetail(record: IAuditRecord, name: string): string | null {
  const value = record.detail[name];
  return record.detail.kind === 'gateway' && typeof value === 'string'
    ? value
    : null;
}
