import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { fieldUsd, typedUsd } from '../words/money';
import { amountFault, AmountInput } from './amountInput';
import { Button } from './button';
import { UserButton } from './userButton';

/**
 * A field for an amount of money with two buttons: one that only a user can press, which applies the amount, and
 * Cancel. The amount is validated while it is typed.
 */
export function AmountField(props: AmountField.IProps): React.JSX.Element {
  const { trans, label, max = null } = props;
  const [text, setText] = React.useState(() => fieldUsd(props.initial));
  const field = React.useRef<HTMLDivElement>(null);
  const id = React.useId();
  const amount = typedUsd(text);
  const wrong = amountFault(text, max, trans);
  React.useEffect(() => {
    field.current?.querySelector('input')?.select();
  }, []);
  const onKey = (event: React.KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      props.onCancel();
    } else if (
      event.key === 'Enter' &&
      wrong === null &&
      event.target instanceof HTMLInputElement
    ) {
      // The Enter key only moves the focus to the button. The user must press the button to decide.
      event.preventDefault();
      field.current?.querySelector('button')?.focus();
    }
  };
  return (
    <div
      ref={field}
      className="aumos-AmountField"
      role="group"
      aria-label={label}
      onKeyDown={onKey}
    >
      <div className="aumos-AmountField-line">
        <span aria-hidden="true">$</span>
        <AmountInput
          className="aumos-AmountField-input"
          data-lead=""
          aria-label={label}
          aria-invalid={wrong !== null}
          aria-describedby={id}
          value={text}
          onType={setText}
        />
      </div>
      <p id={id} className="aumos-AmountField-hint" aria-live="polite">
        {wrong ?? (amount === null ? '' : props.hint?.(amount))}
      </p>
      <div className="aumos-Actions">
        <UserButton
          kind={
            amount !== null && props.isLoose?.(amount) ? 'danger' : 'primary'
          }
          isDisabled={props.isDisabled || wrong !== null}
          why={props.why ?? wrong ?? undefined}
          onUserPress={() => {
            if (amount !== null && wrong === null) {
              props.onUserPress(amount);
            }
          }}
        >
          {wrong === null && amount !== null
            ? props.action(amount)
            : trans.__('Set')}
        </UserButton>
        <Button onClick={props.onCancel}>{trans.__('Cancel')}</Button>
      </div>
    </div>
  );
}

/** A namespace for the types that belong to `AmountField`. */
export namespace AmountField {
  /** The properties of the component; amounts are nano-dollars. */
  export interface IProps {
    trans: TranslationBundle;
    /** The label of the field for screen readers. */
    label: string;
    /** The amount with which the field starts, as decimal text in USD. */
    initial: string;
    /** The largest allowed amount in nano-dollars; any amount is allowed if it is null or omitted. */
    max?: bigint | null;
    /** Returns the label of the button for the typed amount, for example "Raise to $5.00". */
    action: (amount: bigint) => string;
    /** Returns a sentence about what the typed amount would mean, which is shown below the field. */
    hint?: (amount: bigint) => string;
    /** Returns whether the button is shown as a warning, since the amount is more than before. */
    isLoose?: (amount: bigint) => boolean;
    isDisabled: boolean;
    /** A sentence about why the button is disabled. */
    why?: string | undefined;
    /** Called with the amount in nano-dollars when the user presses the button. */
    onUserPress: (amount: bigint) => void;
    onCancel: () => void;
  }
}
