import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Starter } from '../state/starter';
import type { IGovernanceModel } from '../tokens';
import { fieldUsd, typedUsd, writeUsd } from '../words/money';
import { Button } from './button';
import { CopiedText } from './copiedText';
import { useAction, usePermission } from './hooks';
import { focusPrimaryButton } from './focus';
import { budgetFault, LimitFields } from './limitFields';
import { UserButton } from './userButton';
import { ErrorLine, Note } from './words';

/**
 * A form that explains governance. When the user presses its button, it starts governance with the chosen trust level
 * and budget.
 */
export function StartForm(props: StartForm.IProps): React.JSX.Element {
  const { model, path, starter, trans } = props;
  const { config } = model;
  const [chosen, setChosen] = React.useState<number | null>(null);
  const [typed, setTyped] = React.useState<string | null>(null);
  const action = useAction(trans);
  const permission = usePermission(model, trans);
  const text = typed ?? fieldUsd(config?.default_budget ?? '');
  const amount = typedUsd(text);
  const wrong = config === null ? null : budgetFault(text, config, trans);
  const level = chosen ?? config?.default_trust_level ?? 0;
  const { kernelChanges } = model;
  React.useEffect(
    // The kernel is checked now and after each change of kernel, so that the form shows what is missing before the user
    // presses the button.
    () => void starter.check(path),
    [starter, path, kernelChanges]
  );
  const start = (): void => {
    if (amount !== null) {
      action.run(async key => {
        const change = { trust_level: level, budget: writeUsd(amount) };
        await starter.start(path, change, key);
        props.onStarted?.();
      });
    }
  };
  return (
    <div className="aumos-Start" onKeyDown={focusPrimaryButton}>
      <p>
        {trans.__(
          'Governance is off: nothing in this notebook is limited or recorded.'
        )}{' '}
        {trans.__(
          'Once it is started, paid calls and actions stay within the trust level and the budget that you set here.'
        )}
      </p>
      <div className="aumos-Start-fields">
        <LimitFields
          config={config}
          level={level}
          onLevel={setChosen}
          budget={text}
          wrong={wrong}
          onBudget={setTyped}
          isLead
          trans={trans}
        />
      </div>
      <KernelNotes {...props} isBefore />
      <div className="aumos-Actions">
        <UserButton
          kind="primary"
          isDisabled={
            permission.isDisabled ||
            action.isPending ||
            config === null ||
            wrong !== null
          }
          why={permission.why ?? wrong ?? undefined}
          onUserPress={start}
        >
          {trans.__('Start governing')}
        </UserButton>
      </div>
      <ErrorLine message={action.message} />
    </div>
  );
}

/**
 * A text that explains why a notebook's kernel does not have the magics, and what the user can do; nothing if it has
 * them.
 */
export function KernelNotes(
  props: StartForm.IProps & {
    /** Whether governance is not started yet; then the button checks the kernel again instead of loading the magics. */
    isBefore?: boolean;
  }
): React.JSX.Element | null {
  const { isBefore = false, model, path, starter, trans } = props;
  const obstacle = starter.obstacle(path);
  switch (obstacle?.kind) {
    case 'busy':
      return (
        <p className="aumos-Note" role="status">
          {trans.__(
            'A cell is running. The governance magics are loaded when it has ended.'
          )}
        </p>
      );
    case 'language':
      return (
        <Note>
          {trans.__(
            'This kernel runs %1. Only code in a Python kernel can be governed.',
            obstacle.language
          )}
        </Note>
      );
    case 'missing':
      return (
        <div role="status" className="aumos-Start-problem">
          <p>
            {isBefore
              ? trans.__(
                  'This kernel cannot import aumos_governance. Run this in a cell first:'
                )
              : trans.__(
                  'This kernel cannot import aumos_governance. Run this in a cell, then try again:'
                )}
          </p>
          <CopiedText
            copy={text => starter.copy(text)}
            text={install(model)}
            trans={trans}
          />
          <RetryButton {...props} isBefore={isBefore} />
        </div>
      );
    case 'failed':
      return (
        <div role="status" className="aumos-Start-problem">
          <p>
            {trans.__(
              'The governance magics could not be loaded in this kernel. %1',
              obstacle.message
            )}
          </p>
          <RetryButton {...props} isBefore={isBefore} />
        </div>
      );
    default:
      return null;
  }
}

function RetryButton(
  props: StartForm.IProps & { isBefore: boolean }
): React.JSX.Element {
  const { isBefore, path, starter, trans } = props;
  return (
    <div className="aumos-Actions">
      <Button
        onClick={() =>
          void (isBefore ? starter.check(path) : starter.load(path))
        }
      >
        {isBefore ? trans.__('Check again') : trans.__('Try again')}
      </Button>
    </div>
  );
}

/** Return the cell magic that installs in the kernel's environment the version of the package that the server has. */
function install(model: IGovernanceModel): string {
  const version = model.config?.version;
  return `%pip install aumos-governance${version ? `==${version}` : ''}`;
}

/** A namespace for the types that belong to `StartForm`. */
export namespace StartForm {
  /** The properties of the component `StartForm`. */
  export interface IProps {
    model: IGovernanceModel;
    /** The server-local path of the notebook to govern. */
    path: string;
    starter: Starter;
    trans: TranslationBundle;
    /** Called after governance was started. */
    onStarted?: () => void;
  }
}
