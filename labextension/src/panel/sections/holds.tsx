import React from 'react';
import { formatUsd, parseUsd, writeUsd } from '../../words/money';
import type { IHold } from '../../protocol/waiting';
import { formatAge } from '../../widgets/ages';
import { AmountField } from '../../widgets/amountField';
import { Button } from '../../widgets/button';
import { CellLink } from '../../widgets/cellLink';
import { useNow } from '../../widgets/clock';
import {
  revisionOf,
  useAction,
  usePermission,
  useReading
} from '../../widgets/hooks';
import { useNotation } from '../../widgets/notation';
import { UserButton } from '../../widgets/userButton';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { ErrorLine, Money, Note, OneLine } from '../../widgets/words';

/** How many holds are shown. A notebook rarely has more, since each call in progress has one. */
const LIMIT = 100;

/** The section with a notebook's pending holds. The user settles or releases those with an unknown outcome there. */
export const holdsSection: IPanelSection = {
  id: 'holds',
  rank: 40,
  title: trans => trans.__('Pending holds'),
  Body: Holds,
  Badge: ({ state }) =>
    state?.held == null || state.held === '0' ? null : (
      <Money amount={state.held} />
    ),
  // Holds of a closed session are shown too, since they still reduce the budget until they end.
  isShown: ({ state }) => state?.session_id != null
};

function Holds(props: ISectionProps): React.JSX.Element | null {
  const { api, model, path, state, trans } = props;
  const now = useNow();
  const { value, message } = useReading(
    path ?? '',
    revisionOf(model, state),
    () => api.waiting.holds({ path, limit: LIMIT })
  );
  const holds = value?.entries ?? [];
  return (
    <>
      <ErrorLine message={message} />
      {value && holds.length === 0 && (
        <Note>{trans.__('Nothing is held.')}</Note>
      )}
      {holds.length > 0 && (
        <ul className="aumos-Holds">
          {[...holds].sort(byState).map(hold => (
            <Hold key={hold.id} {...props} hold={hold} now={now} />
          ))}
        </ul>
      )}
      {value?.after != null && (
        <Note>{trans.__('There are more holds; these are the oldest.')}</Note>
      )}
    </>
  );
}

function Hold(
  props: ISectionProps & { hold: IHold; now: number }
): React.JSX.Element {
  const { hold, now, trans } = props;
  const notation = useNotation();
  const isUnresolved = hold.state === 'unresolved';
  return (
    <li className="aumos-Hold" data-state={hold.state}>
      <div className="aumos-Hold-line">
        <OneLine text={hold.tool} />
        <Money amount={hold.amount} />
      </div>
      <div className="aumos-Hold-origin">
        <CellLink path={hold.notebook} cell={hold.cell} trans={trans} />
        <time dateTime={hold.at} title={notation.moment(hold.at)}>
          {formatAge(hold.at, now, trans)}
        </time>
        {hold.agent_id !== null && <OneLine text={hold.agent_id} />}
      </div>
      {isUnresolved && <Resolution {...props} />}
    </li>
  );
}

/**
 * Asks the user whether a call cost anything whose outcome is unknown, since its kernel is gone. The buttons settle the
 * call's hold or release it.
 */
function Resolution(props: ISectionProps & { hold: IHold }): React.JSX.Element {
  const { hold, trans, model, api } = props;
  const [isSettling, setSettling] = React.useState(false);
  const action = useAction(trans);
  const permission = usePermission(model, trans);
  const isDisabled = permission.isDisabled || action.isPending;
  const held = parseUsd(hold.amount);
  const resolve = (
    how: (key: string) => ReturnType<typeof api.waiting.release>
  ): void =>
    action.run(async key => {
      const { state } = await how(key);
      if (state) {
        model.learn(state);
      }
    });
  return (
    <>
      <p className="aumos-Hold-unresolved">
        {trans.__(
          'Outcome unknown: the kernel of this call is gone. Did the call cost anything?'
        )}
      </p>
      {isSettling ? (
        <AmountField
          trans={trans}
          label={trans.__('Actual cost in dollars')}
          initial={writeUsd(held)}
          hint={amount => effect(amount, held, trans)}
          isLoose={amount => amount > held}
          action={amount => trans.__('Settle at %1', formatUsd(amount))}
          isDisabled={isDisabled}
          why={permission.why}
          onUserPress={amount =>
            resolve(key => api.waiting.settle(hold.id, writeUsd(amount), key))
          }
          onCancel={() => setSettling(false)}
        />
      ) : (
        <div className="aumos-Actions">
          <Button
            isDisabled={isDisabled}
            title={permission.why}
            onClick={() => setSettling(true)}
          >
            {trans.__('Settle…')}
          </Button>
          <UserButton
            isDisabled={isDisabled}
            why={permission.why}
            title={trans.__('The call cost nothing: release the whole hold')}
            onUserPress={() =>
              resolve(key => api.waiting.release(hold.id, key))
            }
          >
            {trans.__('Release')}
          </UserButton>
        </div>
      )}
      <ErrorLine message={action.message} />
    </>
  );
}

function effect(
  cost: bigint,
  held: bigint,
  trans: ISectionProps['trans']
): string {
  if (cost > held) {
    return trans.__('That is %1 more than was held.', formatUsd(cost - held));
  }
  return cost < held
    ? trans.__('%1 is released.', formatUsd(held - cost))
    : trans.__('That is exactly the amount that was held.');
}

/** Sort holds with an unknown outcome first; holds in the same state keep the server's order. */
function byState(a: IHold, b: IHold): number {
  return Number(b.state === 'unresolved') - Number(a.state === 'unresolved');
}
