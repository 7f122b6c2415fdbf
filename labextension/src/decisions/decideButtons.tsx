import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IGovernanceModel } from '../tokens';
import { usePerson } from '../widgets/hooks';
import { PersonButton } from '../widgets/personButton';

/** The buttons of a card. They decide nothing: both open the dialog with the deciding buttons. */
export function DecideButtons(props: {
  model: IGovernanceModel;
  onPerson: () => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { model, onPerson, trans } = props;
  const { isDisabled, why } = usePerson(model, trans);
  return (
    <div className="aumos-Actions">
      <PersonButton
        kind="primary"
        isDisabled={isDisabled}
        why={why}
        onPerson={onPerson}
      >
        {trans.__('Approve…')}
      </PersonButton>
      <PersonButton isDisabled={isDisabled} why={why} onPerson={onPerson}>
        {trans.__('Deny…')}
      </PersonButton>
    </div>
  );
}
