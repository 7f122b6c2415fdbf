import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IDecisions } from '../../decisions/decisionDialog';
import { UNREACHABLE } from '../../words/failures';
import { isolated, oneLine } from '../../words/labels';
import type { IDecided, WaitingApprovals } from '../../state/waitingApprovals';
import { ApprovalCard } from './approvalCard';
import { useNow } from '../../widgets/clock';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { WaitingCards, WaitingCount } from './waitingCards';
import { type Highlight, Highlighting } from '../../widgets/highlighting';
import { ErrorLine, Note, OneLine } from '../../widgets/words';

/** Return the section with the approval requests of all notebooks that wait for the user. */
export function approvalsSection(
  store: WaitingApprovals,
  decisions: IDecisions,
  highlight: Highlight | null
): IPanelSection {
  return {
    id: 'approvals',
    rank: 10,
    title: trans => trans.__('Waiting for you'),
    needsNotebook: false,
    changed: store.changed,
    Body: props => (
      <Highlighting.Provider value={highlight}>
        <Approvals store={store} decisions={decisions} {...props} />
      </Highlighting.Provider>
    ),
    Badge: () => <WaitingCount store={store} />
  };
}

/**
 * The waiting requests, first those of the notebook that the panel shows, and below them how the latest requests ended.
 */
function Approvals(
  props: ISectionProps & { store: WaitingApprovals; decisions: IDecisions }
): React.JSX.Element {
  const { decisions, model, path, store, trans } = props;
  const now = useNow();
  return (
    <>
      {store.entries.length === 0 &&
        store.isKnown &&
        store.failure === null && (
          <Note>{trans.__('Nothing waits for approval.')}</Note>
        )}
      {store.entries.length === 0 && store.failure?.code === UNREACHABLE && (
        <Note>
          {trans.__('Approval requests are shown once the server responds.')}
        </Note>
      )}
      <WaitingCards
        store={store}
        path={path}
        more={trans.__('More requests are shown when these are decided.')}
        draw={({ entry, ...place }) => (
          <ApprovalCard
            approval={entry}
            decisions={decisions}
            model={model}
            now={now}
            trans={trans}
            {...place}
          />
        )}
      />
      <ErrorLine
        message={
          store.failure?.code === UNREACHABLE
            ? null
            : (store.failure?.message ?? null)
        }
      />
      <ul className="aumos-Decided" aria-live="polite">
        {store.decided.map(decided => (
          <li key={decided.id}>
            {sentence(decided, trans)}
            {decided.notebook !== path && (
              <OneLine
                className="aumos-Decided-notebook"
                text={decided.notebook}
              />
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function sentence(decided: IDecided, trans: TranslationBundle): string {
  const tool = oneLine(decided.tool);
  const who = decided.by === null ? '?' : oneLine(decided.by);
  switch (decided.how) {
    case 'approved':
      return trans.__('%1: approved by %2', isolated(tool), isolated(who));
    case 'denied':
      return trans.__('%1: denied by %2', isolated(tool), isolated(who));
    case 'expired':
      return trans.__('%1: expired, no decision in time', isolated(tool));
    case 'withdrawn':
      return trans.__('%1: withdrawn', isolated(tool));
  }
}
