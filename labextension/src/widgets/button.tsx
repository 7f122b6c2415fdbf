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

/** A namespace for the types that belong to `Button`. */
export namespace Button {
  /** The properties of the component `Button`. */
  export interface IProps {
    onClick: () => void;
    kind?: ButtonKind;
    isDisabled?: boolean;
    /**
     * For a button that opens and closes a part of the page: whether the part is open. Omitted for any other button.
     */
    isExpanded?: boolean;
    /** For a button that turns an option on and off: whether the option is on. Omitted for any other button. */
    isPressed?: boolean;
    /** Whether the button gets the focus from commands that lead to its section. */
    isLead?: boolean;
    label?: string;
    title?: string | undefined;
    className?: string;
    children: React.ReactNode;
  }
}
