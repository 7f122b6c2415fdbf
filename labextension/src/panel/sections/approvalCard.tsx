import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IApproval } from '../../protocol/waiting';
import type { IGovernanceModel } from '../../tokens';
import { formatAge, formatLeft } from '../../widgets/ages';
import { CellLink } from '../../widgets/cellLink';
import { useAction, usePerson } from '../../widgets/hooks';
import { leadOn } from '../../widgets/leads';
import { PersonButton } from '../../widgets/personButton';
import { Shown } from '../../widgets/shown';
import { ErrorLine, Money, OneLine } from '../../widgets/words';

/** One question to a person, with exactly what is asked, and the two answers. */
export function ApprovalCard(props: ApprovalCard.IProps): React.JSX.Element {
  const { approval, decide, isElsewhere, isSteady, model, now, trans } = props;
  const person = usePerson(model, trans);
  const action = useAction();
  const card = React.useRef<HTMLLIElement>(null);
  const title = React.useId();
  const isDisabled = person.isDisabled || action.isPending || !isSteady;
  const answer = (decision: 'approve' | 'deny'): void =>
    action.run(async key => {
      await decide(approval, decision, key);
      leadOn(card.current);
    });
  return (
    <li
      ref={card}
      className="aumos-Card"
      data-approval={approval.id}
      data-lead={props.isFirst ? '' : undefined}
      tabIndex={-1}
      aria-labelledby={title}
    >
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
          <span>{formatLeft(approval.until, now, trans)}</span>
        )}
      </p>
      <Shown
        shown={approval.shown}
        said={{
          tool: approval.tool,
          agent: approval.agent_id,
          amount: approval.amount
        }}
        trans={trans}
      />
      <div className="aumos-Actions">
        <PersonButton
          kind="primary"
          isDisabled={isDisabled}
          why={person.why}
          onPerson={() => answer('approve')}
        >
          {trans.__('Approve')}
        </PersonButton>
        <PersonButton
          isDisabled={isDisabled}
          why={person.why}
          onPerson={() => answer('deny')}
        >
          {trans.__('Deny')}
        </PersonButton>
      </div>
      <ErrorLine message={action.message} />
    </li>
  );
}

/** A namespace for `ApprovalCard` statics. */
export namespace ApprovalCard {
  /** The properties of the component. */
  export interface IProps {
    approval: IApproval;
    decide: (
      approval: IApproval,
      decision: 'approve' | 'deny',
      key: string
    ) => Promise<void>;
    /** Whether it is of another notebook than the one shown. */
    isElsewhere: boolean;
    /** Whether commands that lead to the approvals lead here. */
    isFirst: boolean;
    /** Whether it has stood where it stands for long enough to be what a press is meant for. */
    isSteady: boolean;
    model: IGovernanceModel;
    /** The time, in milliseconds. */
    now: number;
    trans: TranslationBundle;
  }
}
