import React from 'react';
import { figuresOf } from '../../words/figures';
import { oneLine, setBy, trustLevels } from '../../words/labels';
import { formatUsd } from '../../words/money';
import type { IGovernanceState } from '../../protocol/state';
import { Button } from '../../widgets/button';
import { useAction, usePerson, useReading } from '../../widgets/hooks';
import { PersonButton } from '../../widgets/personButton';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { ErrorLine, Note, OneLine } from '../../widgets/words';

/** The session that stands or stood, which is opened and closed here. */
export const sessionSection: IPanelSection = {
  id: 'session',
  rank: 80,
  title: trans => trans.__('Session'),
  Body: Session,
  isShown: ({ state }) => state !== null
};

function Session(props: ISectionProps): React.JSX.Element | null {
  const { path, state } = props;
  if (path === null || !state) {
    return null;
  }
  return (
    <>
      <OutOfReach {...props} path={path} state={state} />
      {state.active ? (
        <Close {...props} path={path} state={state} />
      ) : (
        <Open {...props} path={path} state={state} />
      )}
    </>
  );
}

interface IProps extends ISectionProps {
  path: string;
  state: IGovernanceState;
}

/** Says that the server cannot govern the notebook's kernel; nothing where it can, or does not tell. */
function OutOfReach(props: IProps): React.JSX.Element | null {
  const { api, model, path, state, trans } = props;
  const kernels = useReading(
    path,
    `${model.kernelChanges} ${model.connection}`,
    () => api.session.kernels()
  );
  const owner = state.shared_with ?? path;
  const isOut = kernels.value?.some(
    kernel => kernel.notebook === owner && !kernel.reachable
  );
  return isOut ? (
    <Note>
      {trans.__(
        'The server cannot reach the kernel of this notebook, as none behind a gateway: whatever it asks fails, and nothing is authorised.'
      )}
    </Note>
  ) : null;
}

function Close(props: IProps): React.JSX.Element {
  const { api, model, path, state, trans } = props;
  const [isAsked, setAsked] = React.useState(false);
  const action = useAction();
  const person = usePerson(model, trans);
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
            trans.__('none named')
          ) : (
            <OneLine text={state.agent_id} />
          )}
        </dd>
        <dt>{trans.__('Set by')}</dt>
        <dd>
          <bdi>{setBy(state, model.config, trans)}</bdi>
        </dd>
      </dl>
      {isAsked ? (
        <div className="aumos-Confirmation" role="group">
          <p>
            {trans.__(
              'Once it is closed, all that this notebook asks is denied until a session is opened again. Its record stays.'
            )}
          </p>
          <div className="aumos-Actions">
            <PersonButton
              kind="danger"
              isDisabled={person.isDisabled || action.isPending}
              why={person.why}
              onPerson={close}
            >
              {trans.__('Close session')}
            </PersonButton>
            <Button onClick={() => setAsked(false)}>
              {trans.__('Cancel')}
            </Button>
          </div>
        </div>
      ) : (
        <div className="aumos-Actions">
          <Button
            isLead
            isDisabled={person.isDisabled}
            title={person.why}
            onClick={() => setAsked(true)}
          >
            {trans.__('Close session…')}
          </Button>
        </div>
      )}
      <ErrorLine message={action.message} />
    </>
  );
}

function Open(props: IProps): React.JSX.Element {
  const { api, model, path, state, trans } = props;
  const action = useAction();
  const person = usePerson(model, trans);
  const { config } = model;
  const figures = figuresOf(state, []);
  const level = config && trustLevels(trans)[config.default_trust_level];
  return (
    <>
      <Note>
        {figures
          ? trans.__(
              'No session is open. The last one spent %1 of %2.',
              formatUsd(figures.spent),
              formatUsd(figures.budget)
            )
          : trans.__(
              'No session was ever opened: all that this notebook asks is denied.'
            )}
      </Note>
      {config && level && (
        <div className="aumos-Actions">
          <PersonButton
            kind="primary"
            isDisabled={person.isDisabled || action.isPending}
            why={person.why}
            title={oneLine(
              trans.__('Open a session at the defaults of the server')
            )}
            onPerson={() =>
              action.run(async key => {
                const change = {
                  trust_level: config.default_trust_level,
                  budget: config.default_budget
                };
                model.learn(await api.session.change(path, change, key));
              })
            }
          >
            {trans.__(
              'Open a session: %1, %2',
              `${level.short} ${level.label}`,
              formatUsd(config.default_budget)
            )}
          </PersonButton>
        </div>
      )}
      <ErrorLine message={action.message} />
    </>
  );
}
