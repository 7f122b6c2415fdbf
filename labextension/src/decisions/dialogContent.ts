import { ReactWidget } from '@jupyterlab/ui-components';
import { UUID } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import { showInTopLayer } from './topLayer';

/**
 * The base class of the contents of the modal dialogs: a widget that is rendered again whenever a signal that its
 * constructor was given is emitted.
 */
export abstract class DialogContent extends ReactWidget {
  constructor(private readonly _changes: readonly ISignal<unknown, unknown>[]) {
    super();
    this.addClass('aumos-Decision-content');
    for (const change of _changes) {
      change.connect(this.update, this);
    }
  }

  /** The `id` for the element with the dialog's title. */
  readonly titleId = `aumos-decision-${UUID.uuid4()}`;

  override dispose(): void {
    for (const change of this._changes) {
      change.disconnect(this.update, this);
    }
    super.dispose();
  }
}

/** Opens a modal dialog, but only one at a time: while it is open, `open` does nothing. */
export class OneDialog {
  /**
   * Show a dialog until the user closes it or its content calls `onEnd`.
   *
   * @param make - Returns the content. The content calls `onEnd` to close the dialog: with true after the user has
   *   decided.
   * @param after - Called after the dialog has closed because the user has decided.
   */
  open(
    make: (onEnd: (isDecided: boolean) => void) => DialogContent,
    after?: () => void
  ): void {
    if (this._isOpen) {
      return;
    }
    this._isOpen = true;
    const content = make(isDecided => {
      close();
      if (isDecided) {
        after?.();
      }
    });
    const close = showInTopLayer(content, content.titleId, () => {
      this._isOpen = false;
    });
  }

  private _isOpen = false;
}
