import React from 'react';
import type { IGatewayKey } from '../../protocol/gateway';
import type { IGatewayApi } from '../../server/gatewayApi';
import type { ISectionProps } from '../../tokens';
import { formatAge } from '../../widgets/ages';
import { useNow } from '../../widgets/clock';
import { useAction, usePerson } from '../../widgets/hooks';
import { useNotation } from '../../widgets/notation';
import { PersonButton } from '../../widgets/personButton';
import { ErrorLine, Note, OneLine } from '../../widgets/words';

/** What the parts of the gateway's section have in common. */
export interface IKeysProps extends Omit<ISectionProps, 'api'> {
  api: IGatewayApi;
  /** The valid keys; null until they are known. */
  keys: readonly IGatewayKey[] | null;
  /** Read the keys again. */
  reload: () => void;
}

/** The keys of a notebook's kernel, terminals and commands, and the button that revokes them at once. */
export function NotebookKeys(
  props: IKeysProps & {
    path: string;
    /** The notebook whose kernel this one uses. */
    owner: string;
  }
): React.JSX.Element | null {
  const { keys, owner, state, trans } = props;
  if (keys === null) {
    return null;
  }
  const shared = keys.filter(({ kind }) => kind !== 'user');
  const own = shared.filter(key => key.path === owner);
  const elsewhere = shared.filter(
    key => key.kind === 'terminal' && key.path !== owner
  );
  return (
    <div className="aumos-Gateway-part">
      <h4>{trans.__('Keys of this notebook')}</h4>
      <Stop {...props} own={own} />
      {own.length > 0 && (
        <ul className="aumos-Keys">
          {own.map(key => (
            <Key key={key.id} item={key} trans={trans} />
          ))}
        </ul>
      )}
      {elsewhere.length > 0 && (
        <>
          <h4>{trans.__('Other terminals')}</h4>
          <ul className="aumos-Keys">
            {elsewhere.map(key => (
              <Key key={key.id} item={key} trans={trans}>
                {/* Where governance was never on, no call could be authorized. */}
                {state?.session_id != null && (
                  <Bind {...props} item={key} owner={owner} />
                )}
              </Key>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** A key in a list: what it was issued to, since when, and what can be done with it. */
export function Key(props: {
  item: IGatewayKey;
  trans: ISectionProps['trans'];
  children?: React.ReactNode;
}): React.JSX.Element {
  const { children, item, trans } = props;
  const now = useNow();
  const notation = useNotation();
  const { issued_at: at, path } = item;
  return (
    <li className="aumos-Key" tabIndex={-1}>
      <div className="aumos-Key-facts">
        <OneLine text={holderOf(item, trans)} className="aumos-Key-name" />
        <div className="aumos-Key-origin">
          {at === null ? (
            trans.__('just now')
          ) : (
            <time dateTime={at} title={notation.moment(at)}>
              {formatAge(at, now, trans)}
            </time>
          )}
          {children !== undefined && item.kind === 'terminal' && (
            <OneLine text={path ?? trans.__('no notebook')} />
          )}
        </div>
      </div>
      {children}
    </li>
  );
}

/** What a key was issued to, in words. */
function holderOf(key: IGatewayKey, trans: ISectionProps['trans']): string {
  switch (key.kind) {
    case 'kernel':
      return trans.__('Kernel');
    case 'terminal':
      return trans.__('Terminal %1', key.terminal ?? key.name);
    case 'run':
      return trans.__('Command %1', key.name);
    case 'user':
      return key.name;
  }
}

/** Revokes the notebook's keys with one press, and says afterwards how they are renewed. */
function Stop(
  props: IKeysProps & { path: string; own: readonly IGatewayKey[] }
): React.JSX.Element {
  const { api, model, own, path, reload, trans } = props;
  const [revoked, setRevoked] = React.useState<number | null>(null);
  const outcome = React.useRef<HTMLDivElement>(null);
  const action = useAction();
  const person = usePerson(model, trans);
  const stop = (): void =>
    action.run(async key => {
      setRevoked((await api.stop(path, key)).length);
      // The button goes, and the focus would go with it.
      outcome.current?.focus();
      reload();
    });
  // Keys that were there when it was pressed are listed until they are read again.
  const isStopped = revoked !== null;
  React.useEffect(() => {
    if (own.length === 0) {
      return () => setRevoked(null);
    }
    return undefined;
  }, [own.length]);
  return (
    <>
      {own.length > 0 && !isStopped && (
        <div className="aumos-Stop">
          <PersonButton
            kind="danger"
            isDisabled={person.isDisabled || action.isPending}
            why={person.why}
            label={trans.__('Stop the calls of this notebook')}
            onPerson={stop}
          >
            {trans.__('Stop')}
          </PersonButton>
          <Note>
            {trans.__('Revokes these keys and ends the calls under way.')}
          </Note>
        </div>
      )}
      <ErrorLine message={action.message} />
      <div ref={outcome} role="status" tabIndex={-1}>
        {isStopped ? (
          <p className="aumos-Stopped">
            {trans._n(
              'Stopped: %1 key was revoked.',
              'Stopped: %1 keys were revoked.',
              revoked,
              revoked
            )}{' '}
            {trans.__(
              'Restart the kernel for a new key, and open a new terminal for one there.'
            )}
          </p>
        ) : (
          own.length === 0 && (
            <Note>
              {trans.__(
                'This notebook has no key, so the gateway refuses its calls. A kernel gets a key when it is started or restarted.'
              )}
            </Note>
          )
        )}
      </div>
    </>
  );
}

/** Lets the calls of a terminal count against this notebook. */
function Bind(
  props: IKeysProps & { item: IGatewayKey; owner: string }
): React.JSX.Element {
  const { api, item, model, owner, reload, trans } = props;
  const action = useAction();
  const person = usePerson(model, trans);
  return (
    <>
      <PersonButton
        isDisabled={person.isDisabled || action.isPending}
        why={person.why}
        title={trans.__(
          'Calls of this terminal count against the budget of this notebook'
        )}
        onPerson={() =>
          action.run(async key => {
            await api.bind(item.id, owner, key);
            reload();
          })
        }
      >
        {trans.__('Use for this notebook')}
      </PersonButton>
      <ErrorLine message={action.message} />
    </>
  );
}
