import React from 'react';
import type { IGatewayKey } from '../../protocol/gateway';
import type { IGatewayApi } from '../../server/gatewayApi';
import type { ISectionProps } from '../../tokens';
import { formatAge } from '../../widgets/ages';
import { useNow } from '../../widgets/clock';
import { useAction, usePermission } from '../../widgets/hooks';
import { useNotation } from '../../widgets/notation';
import { UserButton } from '../../widgets/userButton';
import { ErrorLine, Note, OneLine } from '../../widgets/words';

/** The properties that all parts of the gateway's section have. */
export interface IKeysProps extends Omit<ISectionProps, 'api'> {
  api: IGatewayApi;
  /** The valid keys of all notebooks and programs; null until they are loaded. */
  keys: readonly IGatewayKey[] | null;
  /** Load `keys` again. */
  reload: () => void;
}

/**
 * The gateway's keys of a notebook, which its kernel, terminals and commands use, and a button that revokes them all.
 */
export function NotebookKeys(
  props: IKeysProps & {
    path: string;
    /** The path of the notebook whose session and keys this one uses: its own, unless it shares another's kernel. */
    owner: string;
  }
): React.JSX.Element | null {
  const { keys, owner, state, trans } = props;
  const [revoked, setRevoked] = React.useState<readonly string[] | null>(null);
  if (keys === null) {
    return null;
  }
  const shared = keys.filter(
    // `keys` still has the keys that were just revoked until it is loaded again, so leave them out.
    ({ id, kind }) => kind !== 'user' && !revoked?.includes(id)
  );
  const own = shared.filter(key => key.path === owner);
  const elsewhere = shared.filter(
    key => key.kind === 'terminal' && key.path !== owner
  );
  if (revoked !== null && own.length > 0) {
    // A key was issued, since the kernel was restarted or a terminal opened: hide the message about revoked keys.
    setRevoked(null);
  }
  return (
    <div className="aumos-Gateway-part">
      <h4>{trans.__('Keys of this notebook')}</h4>
      <Stop {...props} own={own} revoked={revoked} onStopped={setRevoked} />
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
                {/* Without a session, the notebook's calls would be denied anyway. */}
                {state?.session_id != null && (
                  <AssignButton {...props} item={key} owner={owner} />
                )}
              </Key>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** A key in the list: what it was issued to, how long ago, and its buttons. */
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

/** Return the label of what uses a key, for example "Terminal 1". */
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

/** The button Stop, which revokes all keys of a notebook, and afterwards a text that explains how to get new ones. */
function Stop(
  props: IKeysProps & {
    path: string;
    own: readonly IGatewayKey[];
    /** The ids of the keys that were revoked last; null if none were, or a new key was issued since. */
    revoked: readonly string[] | null;
    onStopped: (revoked: readonly string[]) => void;
  }
): React.JSX.Element {
  const { api, model, onStopped, own, path, reload, revoked, trans } = props;
  const outcome = React.useRef<HTMLDivElement>(null);
  const action = useAction(trans);
  const permission = usePermission(model, trans);
  const stop = (): void =>
    action.run(async key => {
      const keys = await api.stop(path, key);
      onStopped(keys.map(({ id }) => id));
      // The pressed button disappears, so the focus moves to the message in its place.
      outcome.current?.focus();
      reload();
    });
  return (
    <>
      {own.length > 0 && (
        <div className="aumos-Stop">
          <UserButton
            kind="danger"
            isDisabled={permission.isDisabled || action.isPending}
            why={permission.why}
            label={trans.__('Stop the calls of this notebook')}
            onUserPress={stop}
          >
            {trans.__('Stop')}
          </UserButton>
          <Note>
            {trans.__('Revokes these keys and ends the calls under way.')}
          </Note>
        </div>
      )}
      <ErrorLine message={action.message} />
      <div ref={outcome} role="status" tabIndex={-1}>
        {revoked !== null ? (
          <p className="aumos-Stopped">
            {trans._n(
              'Stopped: %1 key was revoked.',
              'Stopped: %1 keys were revoked.',
              revoked.length,
              revoked.length
            )}{' '}
            {trans.__(
              'To get new keys, restart the kernel and open new terminals.'
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

/**
 * A button that assigns another terminal to this notebook, so that this notebook's budget pays for the terminal's
 * calls.
 */
function AssignButton(
  props: IKeysProps & { item: IGatewayKey; owner: string }
): React.JSX.Element {
  const { api, item, model, owner, reload, trans } = props;
  const action = useAction(trans);
  const permission = usePermission(model, trans);
  return (
    <>
      <UserButton
        isDisabled={permission.isDisabled || action.isPending}
        why={permission.why}
        title={trans.__(
          'Let the budget of this notebook pay for the calls of this terminal'
        )}
        onUserPress={() =>
          action.run(async key => {
            await api.bind(item.id, owner, key);
            reload();
          })
        }
      >
        {trans.__('Use for this notebook')}
      </UserButton>
      <ErrorLine message={action.message} />
    </>
  );
}
