import { ReactWidget } from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';
import { act, type JSX } from 'react';

const environment = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean };

/** Do something, and wait until widgets have drawn the result. */
export async function drawn(
  widget: ReactWidget,
  action: () => void
): Promise<void> {
  environment.IS_REACT_ACT_ENVIRONMENT = true;
  try {
    await act(async () => {
      action();
      MessageLoop.flush();
      await widget.renderPromise;
    });
  } finally {
    environment.IS_REACT_ACT_ENVIRONMENT = false;
  }
}

/** Renders on each update, as the panel does. */
export class Drawing extends ReactWidget {
  constructor(private readonly _draw: () => JSX.Element) {
    super();
  }

  protected override render(): JSX.Element {
    return this._draw();
  }
}
