import React from 'react';

/** The appearance of a button: plain, the suggested choice, a warning, or a link. */
export type ButtonKind = 'plain' | 'primary' | 'danger' | 'link';

/** The classes of the panel's buttons. */
export const buttonClass = 'jp-Button jp-mod-small aumos-Button';

/** A button that decides nothing: it shows, hides, filters or opens. For decisions there is `UserButton`. */
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
    /** For a button that shows and hides something: whether that is shown. */
    isExpanded?: boolean;
    /** For a button that turns an option on and off: whether it is on. */
    isPressed?: boolean;
    /** Whether commands that lead to the section move the focus to this button. */
    isLead?: boolean;
    label?: string;
    title?: string | undefined;
    className?: string;
    children: React.ReactNode;
  }
}
