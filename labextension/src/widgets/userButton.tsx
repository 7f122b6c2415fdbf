import React from 'react';
import { type ButtonKind, buttonClass } from './button';

/**
 * A button with which a user decides. Neither an agent nor code in the page can press it.
 *
 * #### Notes
 * Agents can run commands of JupyterLab, and code in the page can dispatch click and key events. The browser marks only
 * events of the user's own input as trusted (`isTrusted`). The listener is attached to the element itself: React's
 * handlers could be called by any code that finds the element. A key that is held down presses nothing, since the user
 * pressed it when something else had the focus.
 */
export function UserButton(props: UserButton.IProps): React.JSX.Element {
  const { onUserPress, kind = 'plain', isDisabled = false, why } = props;
  const button = React.useRef<HTMLButtonElement>(null);
  const press = React.useRef<(() => void) | null>(null);
  React.useLayoutEffect(() => {
    press.current = isDisabled ? null : onUserPress;
  });
  React.useEffect(() => {
    const node = button.current;
    const onClick = (event: MouseEvent): void => {
      if (event.isTrusted) {
        press.current?.();
      }
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.repeat) {
        event.preventDefault();
      }
    };
    node?.addEventListener('click', onClick);
    node?.addEventListener('keydown', onKey);
    return () => {
      node?.removeEventListener('click', onClick);
      node?.removeEventListener('keydown', onKey);
    };
  }, []);
  const reason = React.useId();
  return (
    <>
      <button
        ref={button}
        type="button"
        className={props.className ?? buttonClass}
        data-kind={kind}
        // A disabled button keeps the focus, so that keyboard and screen-reader users can read why it is disabled.
        aria-disabled={isDisabled}
        aria-label={props.label}
        aria-describedby={isDisabled && why ? reason : undefined}
        role={props.role}
        aria-checked={props.isChecked}
        tabIndex={props.tabIndex}
        title={isDisabled ? why : props.title}
      >
        {props.children}
      </button>
      {isDisabled && why && (
        <span id={reason} className="aumos-Heard">
          {why}
        </span>
      )}
    </>
  );
}

/** A namespace for the types that belong to `UserButton`. */
export namespace UserButton {
  /** The properties of the component `UserButton`. */
  export interface IProps {
    /** Called when a user presses the button, and in no other case. */
    onUserPress: () => void;
    kind?: ButtonKind;
    isDisabled?: boolean;
    /** A sentence about why the button is disabled. */
    why?: string | undefined;
    /** The label of the button for screen readers, if the visible text is not enough. */
    label?: string;
    /** The tooltip of the button while it is enabled. */
    title?: string;
    className?: string;
    role?: 'radio';
    isChecked?: boolean;
    tabIndex?: number;
    children: React.ReactNode;
  }
}
