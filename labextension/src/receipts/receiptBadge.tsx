import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';
import { formatUsd, shortUsd } from '../words/money';
import { Money, OneLine } from '../widgets/words';
import { verdictOf } from '../words/verdicts';
import type { IReceipt } from './receiptBook';

/**
 * A small badge beside a cell with the amount that the cell's last run spent. A click on it lists the audit records of
 * that run.
 */
export class ReceiptBadge extends ReactWidget {
  constructor(trans: TranslationBundle) {
    super();
    this._trans = trans;
    this.addClass('aumos-Receipt');
  }

  /** Set what the badge shows. */
  setReceipt(receipt: IReceipt): void {
    this._receipt = receipt;
    this.update();
  }

  protected override render(): React.JSX.Element | null {
    return (
      this._receipt && <Receipt receipt={this._receipt} trans={this._trans} />
    );
  }

  private readonly _trans: TranslationBundle;
  private _receipt: IReceipt | null = null;
}

function Receipt(props: {
  receipt: IReceipt;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { receipt, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  const { calls, denied, records, runs, spent, total } = receipt;
  const number = [
    calls > 0 && trans._n('%1 call', '%1 calls', calls, calls),
    denied > 0 && trans.__('%1 denied', denied)
  ]
    .filter(Boolean)
    .join(', ');
  const all = trans.__('%1 in %2 runs', formatUsd(total), runs);
  return (
    <>
      <button
        type="button"
        className="aumos-Receipt-badge"
        aria-expanded={isOpen}
        title={runs > 1 ? `${number}. ${all}.` : number}
        aria-label={calls > 0 ? `${formatUsd(spent)}, ${number}` : number}
        onClick={() => setOpen(!isOpen)}
      >
        {calls > 0 && shortUsd(spent)}
        {calls > 1 && (
          <span className="aumos-Receipt-calls">{`×${calls}`}</span>
        )}
        {denied > 0 && (
          <span className="aumos-Receipt-denied">
            {trans.__('%1 denied', denied)}
          </span>
        )}
      </button>
      {isOpen && (
        <ul className="aumos-Receipt-records">
          {records.map(record => (
            <li key={record.record_id}>
              <OneLine text={record.tool ?? record.event} />
              {verdictOf(record) === 'deny' ? (
                <span className="aumos-Receipt-denied">
                  {trans.__('Denied')}
                </span>
              ) : (
                <Money amount={record.spent_delta} />
              )}
            </li>
          ))}
          {runs > 1 && <li className="aumos-Receipt-total">{all}</li>}
        </ul>
      )}
    </>
  );
}
