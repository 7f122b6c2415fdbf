/** What JupyterLab's packages expect of a browser and jsdom does not have. */

class StubObserver {
  observe = (): undefined => undefined;
  unobserve = (): undefined => undefined;
  disconnect = (): undefined => undefined;
  takeRecords = (): [] => [];
}

Object.assign(globalThis, {
  DragEvent: class DragEvent extends MouseEvent {},
  ResizeObserver: StubObserver,
  IntersectionObserver: StubObserver,
  requestIdleCallback: (callback: () => void) => setTimeout(callback),
  matchMedia: () => ({
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined
  })
});
