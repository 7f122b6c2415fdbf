import type * as views from '../views';

/** Load the module `views.ts` with the views that JupyterLab does not need when it starts. */
export const loadViews = (): Promise<typeof views> => import('../views');

/** How long after JupyterLab's start the views are loaded even if the user has opened none, in milliseconds. */
const REST = 2000;

/**
 * Load the views soon after JupyterLab's start, so that they then open without delay, and even if the server is
 * unreachable.
 *
 * @param started - Resolves when JupyterLab has started.
 */
export function loadViewsAfter(started: Promise<unknown>): void {
  void started.then(() =>
    window.setTimeout(() => {
      // If this load fails, the first view that the user opens starts another.
      loadViews().catch(() => undefined);
    }, REST)
  );
}

/**
 * Return a function that calls `make` at its first call, and returns the same promise at each call. If the promise was
 * rejected, the next call tries again.
 */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () =>
    (made ??= make().catch((reason: unknown) => {
      made = null;
      throw reason;
    }));
}
