import React from 'react';

/** An input line for an amount of dollars. */
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

/** A namespace for `AmountInput` statics. */
export namespace AmountInput {
  /** The properties of the component. */
  export interface IProps extends React.AriaAttributes {
    id?: string;
    value: string;
    onType: (text: string) => void;
    className?: string;
  }
}
