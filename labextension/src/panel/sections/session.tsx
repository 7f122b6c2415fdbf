import React from 'react';
import { figuresOf } from '../../words/figures';
import { setBy } from '../../words/labels';
import { formatUsd } from '../../words/money';
import type { IGovernanceState } from '../../protocol/state';
import { Button } from '../../widgets/button';
import { useAction, usePermission } from '../../widgets/hooks';
import { UserButton } from '../../widgets/userButton';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { ErrorLine, Note, OneLine } from '../../widgets/words';
import { KernelWarnings } from './kernelWarnings';

/**
 * The section about the notebook's open or last session, with the button that closes it. A session is opened in the
 * section `start`.
 */
export const sessionSection: IPanelSection = {
  id: 'session',
  rank: 80,
  title: trans => trans.__('Session'),
  Body: Session,
  isShown: ({ state }) => state !== null && state.session_id !== null
};

function Session(props: ISectionProps): React.JSX.Element | null {
  const { path, state } = props;
  if (path === null || !state) {
    return null;
  }
  return (
    <>
      <KernelWarnings {...props} path={path} state={state} />
      {state.active ? (
        <OpenSession {...props} path={path} state={state} />
      ) : (
        <LastSession {...props} path={path} state={state} />
      )}
    </>
  );
}

interface IProps extends ISectionProps {
  path: string;
  state: IGovernanceState;
}

function OpenSession(props: IProps): React.JSX.Element {
  const { api, model, path, state, trans } = props;
  const [isConfirming, setConfirming] = React.useState(false);
  const action = useAction(trans);
  const permission = usePermission(model, trans);
  const close = (): void =>
    action.run(async key => {
      model.learn(await api.session.close(path, key));
    });
  return (
    <>
      <dl className="aumos-Rows">
        <dt>{trans.__('Agent')}</dt>
        <dd>
          {state.agent_id === null ? (
            trans.__('not named')
          ) : (
            <OneLine text={state.agent_id} />
          )}
        </dd>
        <dt>{trans.__('Set by')}</dt>
        <dd>
          <bdi>{setBy(state, model.config, trans)}</bdi>
        </dd>
      </dl>
      {isConfirming ? (
        <div className="aumos-Confirmation" role="group">
          <p>
            {trans.__(
              'After that, all requests of this notebook are denied until a session is started again. The audit record stays.'
            )}
          </p>
          <div className="aumos-Actions">
            <UserButton
              kind="danger"
              isDisabled={permission.isDisabled || action.isPending}
              why={permission.why}
              onUserPress={close}
            >
              {trans.__('Close session')}
            </UserButton>
            <Button onClick={() => setConfirming(false)}>
              {trans.__('Cancel')}
            </Button>
          </div>
        </div>
      ) : (
        <div className="aumos-Actions">
          <Button
            isLead
            isDisabled={permission.isDisabled}
            title={permission.why}
            onClick={() => setConfirming(true)}
          >
            {trans.__('Close session…')}
          </Button>
        </div>
      )}
      <ErrorLine message={action.message} />
    </>
  );
}

function LastSession({ state, trans }: IProps): React.JSX.Element | null {
  const figures = figuresOf(state, []);
  return figures ? (
    <Note>
      {trans.__(
        'No session is open. The last one spent %1 of %2.',
        formatUsd(figures.spent),
        formatUsd(figures.budget)
      )}
    </Note>
  ) : null;
}
