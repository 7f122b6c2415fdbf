import type * as views from '../views';

/** Load the views that the start of the page does not need. */
export const loadViews = (): Promise<typeof views> => import('../views');

/** How long after the start the views are loaded by themselves, in milliseconds. */
const REST = 2000;

/**
 * Load the views soon after the start, so that they open at once, and are there when the server is not.
 *
 * @param started - What JupyterLab's start ends with.
 */
export function loadViewsAfter(started: Promise<unknown>): void {
  void started.then(() =>
    window.setTimeout(() => {
      // What could not be loaded is loaded when it is first shown.
      loadViews().catch(() => undefined);
    }, REST)
  );
}

/** The same promise for every call, unless it rejects: then the next call tries again. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () =>
    (made ??= make().catch((reason: unknown) => {
      made = null;
      throw reason;
    }));
}
