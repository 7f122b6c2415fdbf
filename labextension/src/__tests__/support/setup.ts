/** What JupyterLab's packages expect of a browser and jsdom does not have. */

class StubObserver {
  observe = (): undefined => undefined;
  unobserve = (): undefined => undefined;
  disconnect = (): undefined => undefined;
  takeRecords = (): [] => [];
}

// Idleness comes also where a test stops the clock.
const soon = globalThis.setTimeout;

Object.assign(globalThis, {
  DragEvent: class DragEvent extends MouseEvent {},
  ResizeObserver: StubObserver,
  IntersectionObserver: StubObserver,
  requestIdleCallback: (callback: () => void) => soon(callback),
  matchMedia: () => ({
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined
  })
});

Element.prototype.scrollIntoView = () => undefined;

// jsdom has the element and no top layer.
Object.assign(HTMLDialogElement.prototype, {
  showModal(this: HTMLDialogElement) {
    this.open = true;
  },
  close(this: HTMLDialogElement) {
    this.open = false;
    this.dispatchEvent(new Event('close'));
  }
});
