import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { ILimitRequest } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { Button } from '../widgets/button';
import { usePermission } from '../widgets/hooks';
import { UserButton } from '../widgets/userButton';
import { limitWords } from '../words/limits';
import type { ILimitActions } from './denyDialog';

/**
 * The buttons on the card of calls at a limit. They decide nothing: Raise Budget… leads to the budget's field in the
 * panel, Deny… opens the dialog that denies the calls.
 */
export function LimitButtons(props: {
  actions: ILimitActions;
  /** Called when the user has denied the calls. */
  after?: () => void;
  model: IGovernanceModel;
  request: ILimitRequest;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { actions, after, model, request, trans } = props;
  const { isDisabled, why } = usePermission(model, trans);
  const { budget } = limitWords(request, model, trans);
  return (
    <div className="aumos-Actions">
      {budget !== null && (
        <Button
          kind="primary"
          isDisabled={isDisabled}
          title={why}
          onClick={() => actions.raise(request.notebook, budget)}
        >
          {trans.__('Raise Budget…')}
        </Button>
      )}
      <UserButton
        isDisabled={isDisabled}
        why={why}
        onUserPress={() => actions.deny(request, after)}
      >
        {trans.__('Deny…')}
      </UserButton>
    </div>
  );
}
