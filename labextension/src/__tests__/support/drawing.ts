import type { ReactWidget } from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';
import { act } from 'react';

const environment = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean };

/** Do something, and let what a widget draws because of it be in the page. */
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
