import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { formatUsd, typedUsd } from '../words/money';

/**
 * Return a sentence about what is wrong with a typed amount: it is no amount, or above `max` (in nano-dollars). Return
 * null if it is right.
 */
export function amountFault(
  text: string,
  max: bigint | null,
  trans: TranslationBundle
): string | null {
  const amount = typedUsd(text);
  if (amount === null) {
    return trans.__('Enter an amount in dollars, such as 12.50.');
  }
  return max !== null && amount > max
    ? trans.__('The server allows at most %1.', formatUsd(max))
    : null;
}

/** An input element in which the user types an amount of dollars. */
export function AmountInput(props: AmountInput.IProps): React.JSX.Element {
  const { className = '', onType, ...others } = props;
  return (
    <input
      className={`jp-mod-styled ${className}`.trim()}
      type="text"
      inputMode="decimal"
      autoComplete="off"
      spellCheck={false}
      onChange={event => onType(event.currentTarget.value)}
      {...others}
    />
  );
}

/** A namespace for the types that belong to `AmountInput`. */
export namespace AmountInput {
  /** The properties of the component `AmountInput`. */
  export interface IProps extends React.AriaAttributes {
    id?: string;
    value: string;
    onType: (text: string) => void;
    className?: string;
  }
}
