import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IGovernanceState } from '../protocol/state';
import { Button } from '../widgets/button';
import { OneLine } from '../widgets/words';
import { formatUsd, parseUsd } from '../words/money';
import type { ICellCost, IEstimate } from './estimate';

/**
 * Show in a dialog what cells will cost and what is left of the budget, and return whether the user chose to run them.
 *
 * The choice permits no charge: each charge is decided when the kernel requests it.
 *
 * @param goTo - Called with the index of a cell, from 0, if the user follows the link to it, which closes the dialog.
 */
export async function confirmRun(
  estimate: IEstimate,
  state: IGovernanceState | null,
  goTo: (index: number) => void,
  trans: TranslationBundle
): Promise<boolean> {
  const dialog = new Dialog({
    title: trans.__('Run all cells?'),
    body: (
      <Price
        estimate={estimate}
        state={state}
        goTo={index => {
          dialog.reject();
          goTo(index);
        }}
        trans={trans}
      />
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Run All') })
    ],
    defaultButton: fits(estimate, state) ? 1 : 0
  });
  const { button } = await dialog.launch();
  return button.accept;
}

/** Whether the highest sum of the known costs stays within what is left of the budget. */
function fits({ high }: IEstimate, state: IGovernanceState | null): boolean {
  const left = leftOf(state);
  return left === null || high <= left;
}

function leftOf(state: IGovernanceState | null): bigint | null {
  return state?.active && state.remaining !== null
    ? parseUsd(state.remaining)
    : null;
}

/** The body of the dialog: a line for each cell that may cost something, the total, and what is left of the budget. */
function Price(props: Price.IProps): React.JSX.Element {
  const { estimate, goTo, state, trans } = props;
  const { high, lines, low, unknown } = estimate;
  const left = leftOf(state);
  return (
    <div className="aumos-Price">
      {lines.length === 0 ? (
        <p>{trans.__('No cell is known to cost anything.')}</p>
      ) : (
        <ol className="aumos-Price-cells">
          {lines.map(({ index, name, cost }) => (
            <li key={index}>
              <Button
                kind="link"
                title={trans.__('Go to the cell')}
                onClick={() => goTo(index)}
              >
                <OneLine text={name} />
              </Button>
              <span className="aumos-Price-source">
                {cost && source(cost, trans)}
              </span>
              <span className="aumos-Price-cost" data-unknown={cost === null}>
                {cost ? range(cost.low, cost.high) : trans.__('unknown')}
              </span>
            </li>
          ))}
        </ol>
      )}
      <dl className="aumos-Rows">
        <dt>{trans.__('Total')}</dt>
        <dd>
          {range(low, high)}
          {unknown > 0 && ` + ?`}
        </dd>
        {left !== null && (
          <>
            <dt>{trans.__('Left now')}</dt>
            <dd>{formatUsd(left)}</dd>
          </>
        )}
      </dl>
      {left !== null && high > left && (
        <p className="aumos-Price-warning">
          {low > left
            ? trans.__(
                'That is %1 more than is left: a call would be denied before the run ends.',
                formatUsd(low - left)
              )
            : trans.__(
                'The run may cost %1 more than is left.',
                formatUsd(high - left)
              )}
        </p>
      )}
      {unknown > 0 && (
        <p>
          {trans._n(
            'The cost of %1 cell is not known; what it spends comes on top.',
            'The cost of %1 cells is not known; what they spend comes on top.',
            unknown,
            unknown
          )}
        </p>
      )}
    </div>
  );
}

/** A namespace for the types that belong to `Price`. */
namespace Price {
  /** The properties of the component `Price`. */
  export interface IProps {
    estimate: IEstimate;
    state: IGovernanceState | null;
    goTo: (index: number) => void;
    trans: TranslationBundle;
  }
}

/** Return one amount, or a range of two different ones, as text. */
function range(low: bigint, high: bigint): string {
  return low === high
    ? formatUsd(low)
    : `${formatUsd(low)} – ${formatUsd(high)}`;
}

/** Return the label of the source of a cell's cost: the cell itself, or its last runs. */
function source(cost: ICellCost, trans: TranslationBundle): string {
  return cost.kind === 'stated'
    ? trans.__('stated in the cell')
    : trans._n('last run', 'last %1 runs', cost.runs, cost.runs);
}
