import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IApproval } from '../protocol/waiting';
import type { WaitingApprovals } from '../state/waitingApprovals';
import type { IGovernanceModel } from '../tokens';
import { Button } from '../widgets/button';
import { useNow } from '../widgets/clock';
import { useAction, usePermission } from '../widgets/hooks';
import { UserButton } from '../widgets/userButton';
import { ErrorLine, Note } from '../widgets/words';
import { ApprovalFacts } from './approvalFacts';
import { useSteady } from './steady';

/**
 * The content of the decision dialog: an approval request, and the buttons that approve or deny it, which only a user
 * can press.
 */
export function Decision(props: Decision.IProps): React.JSX.Element {
  const { approval, isOpen, model, onEnd, store, trans } = props;
  const permission = usePermission(model, trans);
  const action = useAction(trans);
  const now = useNow();
  const isSteady = useSteady();
  const decide = (decision: 'approve' | 'deny'): void =>
    action.run(async key => {
      await store.decide(approval, decision, key);
      onEnd(true);
    });
  const isDisabled = permission.isDisabled || action.isPending || !isSteady;
  return (
    <>
      <h2 className="aumos-Decision-title" tabIndex={-1} id={props.title}>
        {trans.__('Approve this action?')}
      </h2>
      <div
        className="aumos-Decision-facts"
        tabIndex={0}
        role="group"
        aria-labelledby={props.facts}
      >
        <ApprovalFacts
          approval={approval}
          isElsewhere
          now={now}
          state={model.stateOf(approval.notebook)}
          title={props.facts}
          trans={trans}
        />
      </div>
      <ErrorLine message={action.message} />
      <div className="aumos-Decision-end" role="status">
        {!isOpen && !action.isPending && (
          <Note>
            {trans.__('This request no longer waits for a decision.')}
          </Note>
        )}
      </div>
      <div className="aumos-Actions aumos-Decision-actions">
        {isOpen && (
          <>
            <UserButton
              kind="primary"
              isDisabled={isDisabled}
              why={permission.why}
              onUserPress={() => decide('approve')}
            >
              {trans.__('Approve')}
            </UserButton>
            <UserButton
              isDisabled={isDisabled}
              why={permission.why}
              onUserPress={() => decide('deny')}
            >
              {trans.__('Deny')}
            </UserButton>
          </>
        )}
        <Button onClick={() => onEnd(false)}>
          {isOpen ? trans.__('Decide later') : trans.__('Close')}
        </Button>
      </div>
    </>
  );
}

/** A namespace for the types that belong to `Decision`. */
export namespace Decision {
  /** The properties of the component `Decision`. */
  export interface IProps {
    approval: IApproval;
    /** Whether the request still waits for a decision. */
    isOpen: boolean;
    model: IGovernanceModel;
    store: WaitingApprovals;
    /** The `id` for the title of the dialog, and the `id` for the heading of the request in it. */
    title: string;
    facts: string;
    /** Called to close the dialog: with true after the user has decided, else with false. */
    onEnd: (isDecided: boolean) => void;
    trans: TranslationBundle;
  }
}
