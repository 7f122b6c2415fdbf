import React from 'react';
import { EXAMPLES, type ExampleName } from '../../server/exampleApi';
import type { Starter } from '../../state/starter';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { Button } from '../../widgets/button';
import { useAction } from '../../widgets/hooks';
import { CopiedText } from '../../widgets/copiedText';
import { KernelNotes, StartForm } from '../../widgets/startForm';
import { ErrorLine, Note } from '../../widgets/words';
import { KernelWarnings } from './kernelWarnings';

/** Example code, shown to the user, that governs the calls of a client. */
const SNIPPET = `from aumos_governance import govern
from openai import OpenAI

client = govern(OpenAI())`;

/**
 * Return the section in which the user starts governance. In a governed notebook, it shows instead why the kernel does
 * not have the magics, if so.
 */
export function startSection(starter: Starter): IPanelSection {
  return {
    id: 'start',
    rank: 5,
    title: trans => trans.__('Start'),
    Body: props => <Start {...props} starter={starter} />,
    isShown: ({ path, state }) =>
      state !== null &&
      (!state.active || (path !== null && starter.obstacle(path) !== null)),
    changed: starter.changed
  };
}

function Start(
  props: ISectionProps & { starter: Starter }
): React.JSX.Element | null {
  const { model, path, starter, state, trans } = props;
  if (path === null || !state) {
    return null;
  }
  const parts = { model, path, starter, trans };
  if (state.active) {
    return <KernelNotes {...parts} />;
  }
  return (
    <>
      {state.session_id === null && (
        <KernelWarnings {...props} path={path} state={state} />
      )}
      <StartForm {...parts} />
      <Note>{trans.__('Then govern a client’s calls with:')}</Note>
      <CopiedText
        copy={text => starter.copy(text)}
        text={SNIPPET}
        trans={trans}
      />
      <Examples {...parts} />
    </>
  );
}

function Examples(props: StartForm.IProps): React.JSX.Element {
  const { starter, trans } = props;
  const action = useAction(trans);
  const names: Record<ExampleName, string> = {
    'governed-notebook': trans.__('Governed notebook'),
    'governed-calls': trans.__('Governed calls')
  };
  return (
    <>
      <div className="aumos-Actions">
        <span>{trans.__('Open example:')}</span>
        {EXAMPLES.map(name => (
          <Button
            key={name}
            kind="link"
            isDisabled={action.isPending}
            onClick={() => action.run(() => starter.openExample(name))}
          >
            {names[name]}
          </Button>
        ))}
      </div>
      <ErrorLine message={action.message} />
    </>
  );
}
