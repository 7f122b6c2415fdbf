import React from 'react';
import type { ILimitActions } from '../../decisions/denyDialog';
import { LimitButtons } from '../../decisions/limitButtons';
import { LimitFacts } from '../../decisions/limitFacts';
import type { WaitingLimits } from '../../state/waitingLimits';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { WaitingCards, WaitingCount } from './waitingCards';

/** Return the section with the calls that wait at a limit, of all notebooks; it is hidden while there are none. */
export function limitsSection(
  store: WaitingLimits,
  actions: ILimitActions
): IPanelSection {
  return {
    id: 'limits',
    rank: 12,
    title: trans => trans.__('Waiting at a limit'),
    needsNotebook: false,
    isShown: () => store.entries.length > 0,
    changed: store.changed,
    Body: props => <Limits store={store} actions={actions} {...props} />,
    Badge: () => <WaitingCount store={store} />
  };
}

function Limits(
  props: ISectionProps & { store: WaitingLimits; actions: ILimitActions }
): React.JSX.Element {
  const { actions, model, path, store, trans } = props;
  const title = React.useId();
  return (
    <WaitingCards
      store={store}
      path={path}
      more=""
      draw={({ entry, isElsewhere, isFirst }) => (
        <li
          className="aumos-Card"
          data-limit={entry.id}
          data-lead={isFirst ? '' : undefined}
          tabIndex={-1}
          aria-labelledby={`${title}-${entry.id}`}
        >
          <LimitFacts
            isElsewhere={isElsewhere}
            model={model}
            request={entry}
            title={`${title}-${entry.id}`}
            trans={trans}
          />
          <LimitButtons
            actions={actions}
            model={model}
            request={entry}
            trans={trans}
          />
        </li>
      )}
    />
  );
}
