import React from 'react';
import { AmountInput } from './amountInput';

/** The budget of something that is to be started, and below it what is wrong with the budget. */
export function BudgetInput(props: {
  id: string;
  text: string;
  wrong: string | null;
  onType: (text: string) => void;
}): React.JSX.Element {
  const hint = React.useId();
  return (
    <>
      <div className="aumos-AmountField-line">
        <span aria-hidden="true">$</span>
        <AmountInput
          id={props.id}
          className="aumos-AmountField-input"
          aria-invalid={props.wrong !== null}
          aria-describedby={hint}
          value={props.text}
          onType={props.onType}
        />
      </div>
      <p id={hint} className="aumos-Start-hint" aria-live="polite">
        {props.wrong}
      </p>
    </>
  );
}
