import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IApprovalsInPage } from '../state/waitingApprovals';
import { Button } from '../widgets/button';
import { Money, OneLine } from '../widgets/words';

/** How many are listed; the panel shows all. */
const LISTED = 3;

/** What waits for approval, those of the notebook in front first; each leads to where it can be decided. */
export function WaitingLinks(props: {
  approvals: IApprovalsInPage;
  /** Close what the links are in, before one is followed. */
  leave: () => void;
  path: string | null;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { approvals, leave, path, trans } = props;
  const listed = [...approvals.entries]
    .sort((a, b) => Number(b.notebook === path) - Number(a.notebook === path))
    .slice(0, LISTED);
  if (listed.length === 0) {
    return null;
  }
  const further = approvals.entries.length - listed.length;
  return (
    <section className="aumos-WaitingLinks">
      <h3>{trans.__('Waiting for your approval')}</h3>
      <ul>
        {listed.map(approval => (
          <li key={approval.id}>
            <Button
              kind="link"
              onClick={() => {
                leave();
                void approvals.lead(approval);
              }}
            >
              <OneLine text={approval.tool} />
            </Button>
            {approval.notebook !== path && (
              <OneLine text={PathExt.basename(approval.notebook)} />
            )}
            <Money amount={approval.amount} />
          </li>
        ))}
      </ul>
      {further > 0 && (
        <p>{trans._n('and %1 more', 'and %1 more', further, further)}</p>
      )}
    </section>
  );
}
