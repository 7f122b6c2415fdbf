import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IGovernanceModel } from '../tokens';
import { usePermission } from '../widgets/hooks';
import { UserButton } from '../widgets/userButton';

/**
 * The buttons Approve… and Deny… on an approval request's card. They decide nothing: both open the dialog in which the
 * user decides.
 */
export function DecideButtons(props: {
  model: IGovernanceModel;
  onUserPress: () => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { model, onUserPress, trans } = props;
  const { isDisabled, why } = usePermission(model, trans);
  return (
    <div className="aumos-Actions">
      <UserButton
        kind="primary"
        isDisabled={isDisabled}
        why={why}
        onUserPress={onUserPress}
      >
        {trans.__('Approve…')}
      </UserButton>
      <UserButton isDisabled={isDisabled} why={why} onUserPress={onUserPress}>
        {trans.__('Deny…')}
      </UserButton>
    </div>
  );
}
