import { ReactWidget } from '@jupyterlab/ui-components';
import { UUID } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import { showInTopLayer } from './topLayer';

/** The base of the contents of modal dialogs: a widget that is rendered again with each of the given signals. */
export abstract class DialogContent extends ReactWidget {
  constructor(private readonly _changes: readonly ISignal<unknown, unknown>[]) {
    super();
    this.addClass('aumos-Decision-content');
    for (const change of _changes) {
      change.connect(this.update, this);
    }
  }

  /** The id of the element that labels the dialog. */
  readonly titleId = `aumos-decision-${UUID.uuid4()}`;

  override dispose(): void {
    for (const change of this._changes) {
      change.disconnect(this.update, this);
    }
    super.dispose();
  }
}

/** Opens dialogs, one at a time: while one is open, `open` does nothing. */
export class OneDialog {
  /**
   * Show a dialog until the user closes it, or its content ends it.
   *
   * @param make - Returns the content, which calls `onEnd` to close the dialog; with true if the user has decided.
   * @param after - Called when the dialog closes because the user has decided.
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
