import React from 'react';

/** How a button looks: plain, as the suggested choice, as a warning, or like a link. */
export type ButtonKind = 'plain' | 'primary' | 'danger' | 'link';

/** The CSS classes of the buttons in this package. */
export const buttonClass = 'jp-Button jp-mod-small aumos-Button';

/**
 * A button that only shows, hides, filters or opens something. Buttons with which the user decides are `UserButton`s.
 */
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
    /** Whether that is shown which the button shows and hides; omitted for any other button. */
    isExpanded?: boolean;
    /** Whether the option is on which the button turns on and off; omitted for any other button. */
    isPressed?: boolean;
    /** Whether the button gets the focus from commands that lead to its section. */
    isLead?: boolean;
    label?: string;
    title?: string | undefined;
    className?: string;
    children: React.ReactNode;
  }
}
