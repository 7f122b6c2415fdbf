import { ReactWidget } from '@jupyterlab/ui-components';
import { UUID } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import { showInTopLayer } from './topLayer';

/** What a decision's dialog shows; it is drawn anew at each of these changes. */
export abstract class DialogContent extends ReactWidget {
  constructor(private readonly _changes: readonly ISignal<unknown, unknown>[]) {
    super();
    this.addClass('aumos-Decision-content');
    for (const change of _changes) {
      change.connect(this.update, this);
    }
  }

  /** The id of the element that names the dialog. */
  readonly titleId = `aumos-decision-${UUID.uuid4()}`;

  override dispose(): void {
    for (const change of this._changes) {
      change.disconnect(this.update, this);
    }
    super.dispose();
  }
}

/** Shows one dialog at a time; while one is shown, nothing happens. */
export class OneDialog {
  /**
   * Show a dialog until the user closes it, or what it shows ends it.
   *
   * @param make - Makes what it shows, which calls `onEnd` to close it: with true once the user has decided.
   * @param after - Called when it closes because the user has decided.
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
