import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IGovernanceState } from '../protocol/state';
import type { IApproval } from '../protocol/waiting';
import { formatAge } from '../widgets/ages';
import { CellLink } from '../widgets/cellLink';
import { Shown } from '../widgets/shown';
import { Money, OneLine } from '../widgets/words';
import { formatUsd, parseUsd, shortUsd } from '../words/money';
import { TimeLeft } from './timeLeft';

/** Shows an approval request: its tool, cost and caller, the action itself, and what the cost leaves of the budget. */
export function ApprovalFacts(props: ApprovalFacts.IProps): React.JSX.Element {
  const { approval, isElsewhere, now, state, title, trans } = props;
  return (
    <>
      <div className="aumos-Card-heading" id={title}>
        <OneLine text={approval.tool} className="aumos-Card-tool" />
        <Money amount={approval.amount} isExact />
      </div>
      <p className="aumos-Card-origin">
        {approval.agent_id !== null && <OneLine text={approval.agent_id} />}
        {isElsewhere && <OneLine text={approval.notebook} />}
        <CellLink cell={approval.cell} path={approval.notebook} trans={trans} />
        <span>{formatAge(approval.at, now, trans)}</span>
        {approval.until !== null && (
          <TimeLeft until={approval.until} trans={trans} />
        )}
      </p>
      <Shown
        shown={approval.shown}
        around={{
          tool: approval.tool,
          agent: approval.agent_id,
          amount: approval.amount
        }}
        trans={trans}
      />
      <LeftAfter amount={approval.amount} state={state} trans={trans} />
    </>
  );
}

/** A namespace for the types that belong to `ApprovalFacts`. */
export namespace ApprovalFacts {
  /** The properties of the component `ApprovalFacts`. */
  export interface IProps {
    approval: IApproval;
    /** Whether to name the notebook of the request, because the request is not shown at that notebook. */
    isElsewhere: boolean;
    /** The current time, in milliseconds since 1970. */
    now: number;
    /** The state of the request's notebook; null if it is unknown. */
    state: IGovernanceState | null;
    /** The `id` for the heading element, with which the caller labels the element around it. */
    title: string;
    trans: TranslationBundle;
  }
}

/**
 * Shows what the cost of the action leaves of the budget, or how much the budget lacks; nothing if the budget is
 * unknown.
 */
function LeftAfter(props: {
  amount: string;
  state: IGovernanceState | null;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { amount, state, trans } = props;
  if (!state?.active || state.remaining === null) {
    return null;
  }
  const left = parseUsd(state.remaining) - parseUsd(amount);
  return (
    <p className="aumos-Card-after" data-short={left < 0n ? '' : undefined}>
      {left < 0n
        ? trans.__('Needs %1 more than the budget has left.', formatUsd(-left))
        : trans.__('Leaves %1 of the budget.', shortUsd(left))}
    </p>
  );
}
