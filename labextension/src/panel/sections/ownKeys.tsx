import React from 'react';
import type { ICreatedKey, IGatewayKey } from '../../protocol/gateway';
import { Button } from '../../widgets/button';
import { useAction, usePermission } from '../../widgets/hooks';
import { focusNext, focusPrimaryButton } from '../../widgets/focus';
import { budgetFault, LimitFields } from '../../widgets/limitFields';
import { UserButton } from '../../widgets/userButton';
import { ErrorLine, Note } from '../../widgets/words';
import { fieldUsd, typedUsd, writeUsd } from '../../words/money';
import { type IKeysProps, Key } from './notebookKeys';

/** The trust level that the form for a new key starts with. */
const FIRST_LEVEL = 1;
/** Matches the names that the server accepts for a key: up to 64 characters, and not the name of a notebook file. */
const NAME = /^(?!.*\.ipynb$)[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/;

type Props = IKeysProps & { showKey: (created: ICreatedKey) => void };

/**
 * The keys that the user created for programs, each with its own trust level and budget, and a form that creates
 * another.
 */
export function OwnKeys(props: Props): React.JSX.Element | null {
  const { keys, model, trans } = props;
  const [isCreating, setCreating] = React.useState(false);
  const permission = usePermission(model, trans);
  const part = React.useRef<HTMLDivElement>(null);
  if (keys === null) {
    return null;
  }
  const own = keys.filter(({ kind }) => kind === 'user');
  return (
    <div className="aumos-Gateway-part" ref={part}>
      <h4 tabIndex={-1}>{trans.__('Your keys for programs')}</h4>
      {own.length === 0 ? (
        <Note>
          {trans.__(
            'A key lets a program of yours, such as a script, call the providers within a budget of its own.'
          )}
        </Note>
      ) : (
        <>
          <ul className="aumos-Keys">
            {own.map(key => (
              <OwnKey key={key.id} {...props} item={key} />
            ))}
          </ul>
          <Note>
            {trans.__(
              'Change the level and budget of a key under “All notebooks”.'
            )}
          </Note>
        </>
      )}
      {isCreating ? (
        <KeyForm
          {...props}
          onEnd={() => {
            setCreating(false);
            part.current?.querySelector('h4')?.focus();
          }}
        />
      ) : (
        <div className="aumos-Actions">
          <Button
            isDisabled={permission.isDisabled}
            title={permission.why}
            onClick={() => setCreating(true)}
          >
            {trans.__('Create key…')}
          </Button>
        </div>
      )}
    </div>
  );
}

function OwnKey(props: Props & { item: IGatewayKey }): React.JSX.Element {
  const { api, item, model, reload, trans } = props;
  const action = useAction(trans);
  const permission = usePermission(model, trans);
  const place = React.useRef<HTMLSpanElement>(null);
  return (
    <Key item={item} trans={trans}>
      <span ref={place}>
        <UserButton
          isDisabled={permission.isDisabled || action.isPending}
          why={permission.why}
          label={trans.__('Revoke key %1', item.name)}
          title={trans.__('Revoke this key for good, and end its calls')}
          onUserPress={() =>
            action.run(async key => {
              await api.revoke(item.id, key);
              focusNext(place.current?.closest('li') ?? null);
              reload();
            })
          }
        >
          {trans.__('Revoke')}
        </UserButton>
      </span>
      <ErrorLine message={action.message} />
    </Key>
  );
}

/** The form for a new key with a name, trust level and budget; after that, it shows the key's secret. */
function KeyForm(props: Props & { onEnd: () => void }): React.JSX.Element {
  const { api, model, onEnd, reload, showKey, trans } = props;
  const { config } = model;
  const max = config?.max_trust_level ?? 5;
  const [name, setName] = React.useState('');
  const [level, setLevel] = React.useState(Math.min(FIRST_LEVEL, max));
  const [budget, setBudget] = React.useState(() =>
    fieldUsd(config?.default_budget ?? '')
  );
  const action = useAction(trans);
  const permission = usePermission(model, trans);
  const ids = { name: React.useId(), hint: React.useId() };
  const field = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => field.current?.focus(), []);
  const amount = typedUsd(budget);
  const wrong = budgetFault(budget, config, trans);
  const isNamed = NAME.test(name);
  const misnamed = isNamed
    ? null
    : trans.__(
        'Enter a name of letters, digits, spaces, dots, hyphens and underscores.'
      );
  const create = (): void => {
    if (amount !== null && isNamed) {
      const wanted = { name, trust_level: level, budget: writeUsd(amount) };
      action.run(async key => {
        const created = await api.create(wanted, key);
        onEnd();
        showKey(created);
        reload();
      });
    }
  };
  return (
    <div
      className="aumos-Confirmation"
      role="group"
      aria-label={trans.__('New key')}
      onKeyDown={focusPrimaryButton}
    >
      <div className="aumos-Start-fields">
        <label htmlFor={ids.name}>{trans.__('Name')}</label>
        <input
          ref={field}
          id={ids.name}
          className="jp-mod-styled aumos-KeyName"
          type="text"
          autoComplete="off"
          spellCheck={false}
          maxLength={64}
          aria-invalid={name !== '' && !isNamed}
          aria-describedby={ids.hint}
          value={name}
          onChange={event => setName(event.currentTarget.value)}
        />
        <p id={ids.hint} className="aumos-Start-hint" aria-live="polite">
          {name === ''
            ? trans.__('Name of the program, such as “nightly report”')
            : misnamed}
        </p>
        <LimitFields
          config={config}
          level={level}
          onLevel={setLevel}
          // The default sentences about trust levels are about notebooks. For a program, the gateway only allows or
          // denies calls.
          meaning={chosen =>
            chosen === 0
              ? trans.__('The gateway refuses all calls of the program.')
              : trans.__('The calls of the program run within the budget.')
          }
          budget={budget}
          wrong={wrong}
          onBudget={setBudget}
          trans={trans}
        />
      </div>
      <div className="aumos-Actions">
        <UserButton
          kind="primary"
          isDisabled={
            permission.isDisabled ||
            action.isPending ||
            wrong !== null ||
            misnamed !== null
          }
          why={permission.why ?? misnamed ?? wrong ?? undefined}
          onUserPress={create}
        >
          {trans.__('Create key')}
        </UserButton>
        <Button onClick={onEnd}>{trans.__('Cancel')}</Button>
      </div>
      <ErrorLine message={action.message} />
    </div>
  );
}
