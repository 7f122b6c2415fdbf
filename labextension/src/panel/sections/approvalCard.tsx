import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { ApprovalFacts } from '../../decisions/approvalFacts';
import { DecideButtons } from '../../decisions/decideButtons';
import type { IDecisions } from '../../decisions/decisionDialog';
import type { IApproval } from '../../protocol/waiting';
import type { IGovernanceModel } from '../../tokens';
import { nextFocus } from '../../widgets/focus';

/** The card of an approval request in the panel. Its buttons open the dialog in which the user decides. */
export function ApprovalCard(props: ApprovalCard.IProps): React.JSX.Element {
  const { approval, decisions, isElsewhere, model, now, trans } = props;
  const card = React.useRef<HTMLLIElement>(null);
  const title = React.useId();
  return (
    <li
      ref={card}
      className="aumos-Card"
      data-approval={approval.id}
      data-lead={props.isFirst ? '' : undefined}
      tabIndex={-1}
      aria-labelledby={title}
    >
      <ApprovalFacts
        approval={approval}
        isElsewhere={isElsewhere}
        now={now}
        state={model.stateOf(approval.notebook)}
        title={title}
        trans={trans}
      />
      <DecideButtons
        model={model}
        onUserPress={() => {
          const next = nextFocus(card.current);
          decisions.open(approval, () => next?.focus());
        }}
        trans={trans}
      />
    </li>
  );
}

/** A namespace for the types that belong to `ApprovalCard`. */
export namespace ApprovalCard {
  /** The properties of the component `ApprovalCard`. */
  export interface IProps {
    approval: IApproval;
    decisions: IDecisions;
    /** Whether the request belongs to a notebook other than the one that the panel shows. */
    isElsewhere: boolean;
    /** Whether this is the first card, which gets the focus from commands that lead to the approval requests. */
    isFirst: boolean;
    model: IGovernanceModel;
    /** The current time, in milliseconds since 1970. */
    now: number;
    trans: TranslationBundle;
  }
}
