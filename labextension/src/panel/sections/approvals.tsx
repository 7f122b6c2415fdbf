import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { oneLine } from '../../words/labels';
import type { IDecided, WaitingApprovals } from '../../state/waitingApprovals';
import { ApprovalCard } from './approvalCard';
import { useNow } from '../../widgets/clock';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { ownFirst, WaitingCards, WaitingCount } from './waitingCards';
import { ErrorLine, Note, OneLine } from '../../widgets/words';

/** How long a card must have stood where it stands before it can be answered, in milliseconds. */
const STEADY = 400;
const SECOND = 1000;

/** The section of what waits for a yes or no, on every notebook of the server. */
export function approvalsSection(store: WaitingApprovals): IPanelSection {
  return {
    id: 'approvals',
    rank: 10,
    title: trans => trans.__('Waiting for you'),
    needsNotebook: false,
    changed: store.changed,
    Body: props => <Approvals store={store} {...props} />,
    Badge: () => <WaitingCount store={store} />
  };
}

/** What waits, that of the notebook shown first, and how those ended that waited lately. */
export function Approvals(
  props: ISectionProps & { store: WaitingApprovals }
): React.JSX.Element {
  const { model, path, store, trans } = props;
  const now = useNow(
    store.entries.some(({ until }) => until !== null) ? SECOND : undefined
  );
  const shown = ownFirst(store.entries, path);
  const isSteady = useSteady(shown.map(entry => entry.id).join(' '));
  return (
    <>
      {shown.length === 0 && store.isKnown && store.failure === null && (
        <Note>{trans.__('Nothing waits for approval.')}</Note>
      )}
      <WaitingCards
        store={store}
        path={path}
        more={trans.__('More are shown when these are answered.')}
        draw={({ entry, ...place }) => (
          <ApprovalCard
            approval={entry}
            decide={(...answer) => store.decide(...answer)}
            isSteady={isSteady}
            model={model}
            now={now}
            trans={trans}
            {...place}
          />
        )}
      />
      <ErrorLine
        message={
          store.failure?.code === 'SERVER_UNREACHABLE'
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

function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}

/** Whether what stands in an order has stood so for a while: what has just moved under a pointer is not meant. */
function useSteady(order: string): boolean {
  const [steady, setSteady] = React.useState<string | null>(null);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setSteady(order), STEADY);
    return () => window.clearTimeout(timer);
  }, [order]);
  return steady === order;
}
