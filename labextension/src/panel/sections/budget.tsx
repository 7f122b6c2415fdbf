import React from 'react';
import { BudgetBar } from '../../widgets/budgetBar';
import { figuresOf, type IFigures } from '../../words/figures';
import { setBy, severityWords } from '../../words/labels';
import { formatUsd, parseUsd, shortUsd, writeUsd } from '../../words/money';
import { AmountField } from '../../widgets/amountField';
import { Button } from '../../widgets/button';
import { Envelopes } from './envelopes';
import { useAction, usePermission } from '../../widgets/hooks';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { ErrorLine, Money, Note } from '../../widgets/words';

/** The section with a notebook's spending and budget, where the user changes the budget. */
export const budgetSection: IPanelSection = {
  id: 'budget',
  rank: 30,
  title: trans => trans.__('Budget'),
  Body: Budget,
  Badge: Left,
  isShown: ({ state }) => state?.active === true && state.budget !== null
};

function Left({ state, trans }: ISectionProps): React.JSX.Element | null {
  return state?.remaining == null ? null : (
    <>
      {state.over !== null && state.over !== '0'
        ? trans.__('%1 over', shortUsd(state.over))
        : trans.__('%1 left', shortUsd(state.remaining))}
    </>
  );
}

function Budget(props: ISectionProps): React.JSX.Element | null {
  const { model, state, trans, path } = props;
  const figures = state && figuresOf(state, model.config?.warn_at ?? []);
  if (path === null || !state || !figures) {
    return null;
  }
  const warning = severityWords(figures, trans);
  return (
    <>
      <BudgetBar figures={figures} marks />
      <dl className="aumos-Figures">
        <Figure name={trans.__('Spent')} amount={figures.spent} kind="spent" />
        <Figure name={trans.__('Held')} amount={figures.held} kind="held" />
        {figures.over > 0n ? (
          <Figure name={trans.__('Over')} amount={figures.over} kind="over" />
        ) : (
          <Figure
            name={trans.__('Left')}
            amount={figures.remaining}
            kind="left"
          />
        )}
      </dl>
      {warning && (
        <p className="aumos-Budget-warning" data-severity={figures.severity}>
          {warning}
        </p>
      )}
      <EditableBudget {...props} path={path} figures={figures} />
      <Note>{trans.__('Set by %1.', setBy(state, model.config, trans))}</Note>
      <Envelopes {...props} path={path} remaining={figures.remaining} />
    </>
  );
}

function Figure(props: {
  name: string;
  amount: bigint;
  kind: 'spent' | 'held' | 'left' | 'over';
}): React.JSX.Element {
  return (
    <div className="aumos-Figures-figure" data-kind={props.kind}>
      <dt>{props.name}</dt>
      <dd>
        <Money amount={props.amount} />
      </dd>
    </div>
  );
}

/** The budget with the button Edit, or, after a press of that, the field in which the user changes the budget. */
function EditableBudget(
  props: ISectionProps & { path: string; figures: IFigures }
): React.JSX.Element {
  const { figures, trans, model, api, path } = props;
  const { proposedBudget = null } = props;
  // The amount with which the field starts, in USD; null while the field is not shown.
  const [initial, setInitial] = React.useState<string | null>(null);
  const [known, setKnown] = React.useState<typeof proposedBudget>(null);
  if (proposedBudget !== known) {
    setKnown(proposedBudget);
    setInitial(proposedBudget?.budget ?? initial);
  }
  const change = useAction(trans);
  const permission = usePermission(model, trans);
  const place = React.useRef<HTMLDivElement>(null);
  const max = model.config?.max_budget ?? null;
  const done = (): void => {
    setInitial(null);
    change.clear();
    requestAnimationFrame(() =>
      place.current?.querySelector('button')?.focus()
    );
  };
  const set = (amount: bigint): void =>
    change.run(async key => {
      const values = { budget: writeUsd(amount) };
      model.learn(await api.session.change(path, values, key));
      done();
    });
  return (
    <div ref={place} className="aumos-Ceiling">
      {initial !== null ? (
        <AmountField
          key={initial}
          trans={trans}
          label={trans.__('Budget in dollars')}
          initial={initial}
          max={max === null ? null : parseUsd(max)}
          hint={amount => effect(amount, figures, trans)}
          isLoose={amount => amount > figures.budget}
          action={amount =>
            amount > figures.budget
              ? trans.__('Raise to %1', formatUsd(amount))
              : trans.__('Set to %1', formatUsd(amount))
          }
          isDisabled={permission.isDisabled || change.isPending}
          why={permission.why}
          onUserPress={set}
          onCancel={done}
        />
      ) : (
        <div className="aumos-Ceiling-line">
          <span>{trans.__('Budget')}</span>
          <Money amount={figures.budget} />
          <Button
            isLead
            kind="link"
            label={trans.__('Edit the budget')}
            isDisabled={permission.isDisabled}
            title={permission.why}
            onClick={() => setInitial(writeUsd(figures.budget))}
          >
            {trans.__('Edit')}
          </Button>
        </div>
      )}
      <ErrorLine message={change.message} />
    </div>
  );
}

/** Return a sentence about how much a new budget, `amount`, would leave after what is spent and held. */
function effect(
  amount: bigint,
  figures: IFigures,
  trans: ISectionProps['trans']
): string {
  const used = figures.spent + figures.held;
  return amount >= used
    ? trans.__('%1 would be left.', formatUsd(amount - used))
    : trans.__(
        'That is %1 less than what is spent and held: nothing more could be spent.',
        formatUsd(used - amount)
      );
}
