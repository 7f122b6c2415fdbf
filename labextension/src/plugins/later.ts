import type * as views from '../views';

/** Load the views that the start of the page does not need. */
export const loadViews = (): Promise<typeof views> => import('../views');

/** The same promise for every call, unless it rejects: then the next call tries again. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () =>
    (made ??= make().catch((reason: unknown) => {
      made = null;
      throw reason;
    }));
}
