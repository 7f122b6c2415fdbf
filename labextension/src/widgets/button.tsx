import React from 'react';

/** The look of a button: plain, the suggested one, or a warning. */
export type ButtonKind = 'plain' | 'primary' | 'danger' | 'link';

/** The classes of the panel's buttons. */
export const buttonClass = 'jp-Button jp-mod-small aumos-Button';

/** A control that shows, hides or filters; it decides nothing (see `UserButton`). */
export function Button(props: Button.IProps): React.JSX.Element {
  return (
    <button
      type="button"
      className={props.className ?? buttonClass}
      data-kind={props.kind ?? 'plain'}
      data-lead={props.isLead === true ? '' : undefined}
      disabled={props.isDisabled}
      aria-label={props.label}
      aria-expanded={props.isExpanded}
      aria-pressed={props.isPressed}
      title={props.title}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** A namespace for `Button` statics. */
export namespace Button {
  /** The properties of the component. */
  export interface IProps {
    onClick: () => void;
    kind?: ButtonKind;
    isDisabled?: boolean;
    /** Whether the content that it shows and hides is shown. */
    isExpanded?: boolean;
    /** Whether the option that it turns on and off is on. */
    isPressed?: boolean;
    /** Whether commands that lead to the section move the focus to it. */
    isLead?: boolean;
    label?: string;
    title?: string | undefined;
    className?: string;
    children: React.ReactNode;
  }
}
