import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IWaitingApi } from '../server/waitingApi';
import {
  fieldUsd,
  formatUsd,
  parseUsd,
  typedUsd,
  writeUsd
} from '../words/money';
import type { IAuditRecord } from '../protocol/audit';
import type { ICorrectionResponse } from '../protocol/waiting';
import { AmountInput } from '../widgets/amountInput';
import { Button } from '../widgets/button';
import { useAction, usePermission } from '../widgets/hooks';
import { UserButton } from '../widgets/userButton';
import { ErrorLine, Note } from '../widgets/words';
import type { IGovernanceModel } from '../tokens';

const MAX_REASON = 1000;

/** A form with which a user corrects a charge that was too high: they enter the amount to subtract and a reason. */
export function CorrectionForm(
  props: CorrectionForm.IProps
): React.JSX.Element {
  const { api, chargeId, model, record, trans } = props;
  const spent = parseUsd(record.spent_delta);
  const [isOpen, setOpen] = React.useState(false);
  const [text, setText] = React.useState(() => fieldUsd(writeUsd(spent)));
  const [reason, setReason] = React.useState('');
  const [done, setDone] = React.useState<ICorrectionResponse | null>(null);
  const permission = usePermission(model, trans);
  const action = useAction(trans);
  const id = React.useId();
  const amount = typedUsd(text);
  const wrong =
    amount === null || amount === 0n
      ? trans.__('Enter an amount in dollars, such as 12.50.')
      : amount > spent
        ? trans.__(
            'Enter at most %1, the amount of the charge.',
            formatUsd(spent)
          )
        : reason.trim() === ''
          ? trans.__('Enter a reason.')
          : null;
  if (done) {
    const { amount: taken, left } = done.correction;
    return (
      <Note>
        {trans.__(
          '%1 subtracted; %2 of the charge still counts.',
          formatUsd(taken),
          formatUsd(left)
        )}
      </Note>
    );
  }
  if (!isOpen) {
    return (
      <Button
        isDisabled={permission.isDisabled}
        title={permission.why}
        onClick={() => setOpen(true)}
      >
        {trans.__('Correct…')}
      </Button>
    );
  }
  return (
    <div
      className="aumos-Correction"
      role="group"
      aria-label={trans.__('Correct a charge')}
    >
      <label>
        <span>{trans.__('Amount to subtract in dollars')}</span>
        <AmountInput aria-describedby={id} value={text} onType={setText} />
      </label>
      <label>
        <span>{trans.__('Reason')}</span>
        <textarea
          className="jp-mod-styled"
          rows={2}
          maxLength={MAX_REASON}
          aria-describedby={id}
          value={reason}
          onChange={event => setReason(event.currentTarget.value)}
        />
      </label>
      <p id={id} className="aumos-Correction-hint" aria-live="polite">
        {wrong ??
          trans.__(
            'The record stays; the correction gets a record of its own.'
          )}
      </p>
      <div className="aumos-Actions">
        <UserButton
          kind="primary"
          isDisabled={
            permission.isDisabled || wrong !== null || action.isPending
          }
          why={permission.why ?? wrong ?? undefined}
          onUserPress={() =>
            action.run(async key => {
              const response = await api.correct(
                {
                  charge_id: chargeId,
                  amount: writeUsd(amount ?? 0n),
                  reason: reason.trim()
                },
                key
              );
              setDone(response);
              if (response.state) {
                model.learn(response.state);
              }
              props.onDone();
            })
          }
        >
          {trans.__('Correct charge')}
        </UserButton>
        <Button onClick={() => setOpen(false)}>{trans.__('Cancel')}</Button>
      </div>
      <ErrorLine message={action.message} />
    </div>
  );
}

/** A namespace for the types that belong to `CorrectionForm`. */
export namespace CorrectionForm {
  /** The properties of the component `CorrectionForm`. */
  export interface IProps {
    api: IWaitingApi;
    model: IGovernanceModel;
    record: IAuditRecord;
    chargeId: string;
    trans: TranslationBundle;
    /** Called when the server has accepted the correction. */
    onDone: () => void;
  }
}
