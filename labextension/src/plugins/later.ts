import type * as views from '../views';

/** Load the views that JupyterLab's start does not need. */
export const loadViews = (): Promise<typeof views> => import('../views');

/** How long after the start the views are loaded if none was shown before, in milliseconds. */
const REST = 2000;

/**
 * Load the views soon after the start, so that they open without delay, even while the server is unreachable.
 *
 * @param started - Resolves when JupyterLab has started.
 */
export function loadViewsAfter(started: Promise<unknown>): void {
  void started.then(() =>
    window.setTimeout(() => {
      // If this fails, the views are loaded when one is first shown.
      loadViews().catch(() => undefined);
    }, REST)
  );
}

/**
 * Return a function that calls `make` once and returns the same promise each time; if it rejects, the next call
 * retries.
 */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () =>
    (made ??= make().catch((reason: unknown) => {
      made = null;
      throw reason;
    }));
}
