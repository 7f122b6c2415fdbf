import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { formatUsd, parseUsd } from '../words/money';
import type { IGovernanceState } from '../protocol/state';
import type { IStatedCosts } from './statedCosts';

/** The most cells that are named one by one. */
const NAMED = 12;

/**
 * Show what cells state that they cost against what remains, and ask whether to run them.
 *
 * Running cells grants nothing: each charge is decided when it is asked for.
 */
export async function askToRun(
  costs: IStatedCosts,
  state: IGovernanceState | null,
  trans: TranslationBundle
): Promise<boolean> {
  const { button } = await showDialog({
    title: trans.__('Run all cells?'),
    body: <Price costs={costs} state={state} trans={trans} />,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Run All') })
    ]
  });
  return button.accept;
}

/** What is stated, what remains, and what nobody knows. */
export function Price(props: {
  costs: IStatedCosts;
  state: IGovernanceState | null;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { costs, state, trans } = props;
  const remaining =
    state?.active && state.remaining !== null
      ? parseUsd(state.remaining)
      : null;
  return (
    <div className="aumos-Price">
      <dl className="aumos-Rows">
        <dt>{trans.__('Stated by the cells')}</dt>
        <dd>{formatUsd(costs.total)}</dd>
        {remaining !== null && (
          <>
            <dt>{trans.__('Left now')}</dt>
            <dd>{formatUsd(remaining)}</dd>
          </>
        )}
      </dl>
      {remaining !== null && costs.total > remaining && (
        <p className="aumos-Price-warning">
          {trans.__(
            'That is %1 more than is left: the run would be denied on its way.',
            formatUsd(costs.total - remaining)
          )}
        </p>
      )}
      {costs.unstated.length > 0 && (
        <p>
          {trans._n(
            'Cell %2 states no cost; what it spends comes on top.',
            'Cells %2 state no cost; what they spend comes on top.',
            costs.unstated.length,
            named(costs.unstated)
          )}
        </p>
      )}
    </div>
  );
}

function named(cells: readonly number[]): string {
  const shown = cells.slice(0, NAMED).join(', ');
  return cells.length > NAMED ? `${shown}, …` : shown;
}
