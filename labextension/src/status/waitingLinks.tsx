import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IWaiting } from '../protocol/waiting';
import type { IApprovalsInPage } from '../state/waitingApprovals';
import { Button } from '../widgets/button';
import { Money, OneLine } from '../widgets/words';
import { shortUsd } from '../words/money';

/** How many requests of each kind the popover lists; the panel lists more. */
const LISTED = 3;

/** Links to the requests that wait for the user, first those of the notebook in front. */
export function WaitingLinks(props: {
  approvals: IApprovalsInPage;
  /** Closes the popover; called before the page moves to the request. */
  leave: () => void;
  path: string | null;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { approvals, trans, ...rest } = props;
  return (
    <>
      <Links
        {...rest}
        amountOf={({ amount }) => <Money amount={amount} />}
        approvals={approvals}
        entries={approvals.entries}
        title={trans.__('Waiting for your approval')}
        trans={trans}
      />
      <Links
        {...rest}
        amountOf={({ needs }) => (
          <span>{trans.__('needs %1 more', shortUsd(needs))}</span>
        )}
        approvals={approvals}
        entries={approvals.atLimit}
        title={trans.__('Waiting at a limit')}
        trans={trans}
      />
    </>
  );
}

function Links<T extends IWaiting>(props: {
  amountOf: (entry: T) => React.JSX.Element;
  approvals: IApprovalsInPage;
  entries: readonly T[];
  leave: () => void;
  path: string | null;
  title: string;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { amountOf, approvals, entries, leave, path, title, trans } = props;
  const listed = [...entries]
    .sort((a, b) => Number(b.notebook === path) - Number(a.notebook === path))
    .slice(0, LISTED);
  if (listed.length === 0) {
    return null;
  }
  const further = entries.length - listed.length;
  return (
    <section className="aumos-WaitingLinks">
      <h3>{title}</h3>
      <ul>
        {listed.map(entry => (
          <li key={entry.id}>
            <Button
              kind="link"
              onClick={() => {
                leave();
                void approvals.lead(entry);
              }}
            >
              <OneLine text={entry.tool} />
            </Button>
            {entry.notebook !== path && (
              <OneLine text={PathExt.basename(entry.notebook)} />
            )}
            {amountOf(entry)}
          </li>
        ))}
      </ul>
      {further > 0 && (
        <p>{trans._n('and %1 more', 'and %1 more', further, further)}</p>
      )}
    </section>
  );
}
