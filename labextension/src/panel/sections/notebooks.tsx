import { PathExt } from '@jupyterlab/coreutils';
import React from 'react';
import { BudgetBar } from '../../widgets/budgetBar';
import { figuresOf } from '../../words/figures';
import { oneLine, ownKeyOf } from '../../words/labels';
import { shortUsd } from '../../words/money';
import type { IGovernanceState } from '../../protocol/state';
import { Button } from '../../widgets/button';
import { useReading } from '../../widgets/hooks';
import { Navigation } from '../../widgets/navigation';
import type { IPanelSection, ISectionProps } from '../../tokens';
import type { PanelSubject } from '../subject';
import { ErrorLine, Note, OneLine } from '../../widgets/words';

/** How many pages of the list are loaded. */
const MAX_PAGES = 5;

/**
 * Return the section that lists all notebooks that were ever governed. The user opens one there, or selects it for the
 * panel.
 */
export function notebooksSection(subject: PanelSubject): IPanelSection {
  return {
    id: 'notebooks',
    rank: 90,
    title: trans => trans.__('All notebooks'),
    Body: props => <Notebooks {...props} subject={subject} />,
    needsNotebook: false,
    changed: subject.changed
  };
}

function Notebooks(
  props: ISectionProps & { subject: PanelSubject }
): React.JSX.Element {
  const { api, model, trans, subject } = props;
  const [isAll, setAll] = React.useState(false);
  const { value, message } = useReading(
    '',
    `${model.revision} ${model.connection}`,
    async () => {
      const read: IGovernanceState[] = [];
      let after: string | null = null;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const response = await api.session.notebooks(after);
        read.push(...response.entries);
        after = response.after;
        if (after === null) {
          break;
        }
      }
      return { states: read, hasMore: after !== null };
    }
  );
  const states = (value?.states ?? []).map(
    // Events may have brought newer states since the list was loaded.
    state => newer(state, model.stateOf(state.path))
  );
  const active = states.filter(state => state.active);
  const shown = isAll ? states : active;
  const closed = states.length - active.length;
  return (
    <>
      <ErrorLine message={message} />
      {/* A session that was just started is in the model before the list is loaded again. */}
      {value && shown.length === 0 && !model.state?.active && (
        <Note>{trans.__('No notebook has an open session.')}</Note>
      )}
      {shown.length > 0 && (
        <ul className="aumos-Notebooks">
          {shown.map(state => (
            <Notebook
              key={state.path}
              {...props}
              state={state}
              onFollow={() => {
                model.learn(state);
                subject.follow(state.path);
              }}
            />
          ))}
        </ul>
      )}
      {value?.hasMore && (
        <Note>{trans.__('There are more notebooks than are listed.')}</Note>
      )}
      {closed > 0 && (
        <div className="aumos-Actions">
          <Button kind="link" onClick={() => setAll(!isAll)}>
            {isAll
              ? trans.__('Show only open sessions')
              : trans._n(
                  'Show %1 closed session',
                  'Show %1 closed sessions',
                  closed,
                  closed
                )}
          </Button>
        </div>
      )}
    </>
  );
}

function Notebook(
  props: ISectionProps & {
    state: IGovernanceState;
    subject: PanelSubject;
    onFollow: () => void;
  }
): React.JSX.Element {
  const { state, trans, subject, model } = props;
  const navigation = React.useContext(Navigation);
  const figures = figuresOf(state, model.config?.warn_at ?? []);
  const keyName = ownKeyOf(state.path);
  const name =
    keyName === null
      ? PathExt.basename(state.path)
      : trans.__('Key %1', keyName);
  const isShown = subject.path === state.path;
  return (
    <li
      className="aumos-Notebook"
      aria-current={isShown}
      data-active={state.active}
    >
      <Button
        className="aumos-Notebook-name"
        title={oneLine(state.path)}
        label={trans.__('Show %1 in this panel', oneLine(name))}
        onClick={props.onFollow}
      >
        <OneLine text={name} />
        <span className="aumos-Notebook-figures">
          {state.trust_level !== null && `L${state.trust_level} · `}
          {figures &&
            (state.active
              ? trans.__('%1 left', shortUsd(figures.remaining))
              : trans.__('closed, %1 spent', shortUsd(figures.spent)))}
        </span>
      </Button>
      {figures && state.active && <BudgetBar figures={figures} />}
      {navigation && keyName === null && (
        <Button
          kind="link"
          label={trans.__('Open %1', oneLine(name))}
          onClick={() => void navigation.open(state.path)}
        >
          {trans.__('Open')}
        </Button>
      )}
    </li>
  );
}

function newer(
  read: IGovernanceState,
  known: IGovernanceState | null
): IGovernanceState {
  return known && known.seq > read.seq ? known : read;
}
