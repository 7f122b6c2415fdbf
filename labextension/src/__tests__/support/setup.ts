/** Browser features that JupyterLab's packages need and jsdom lacks. */

class StubObserver {
  observe = (): undefined => undefined;
  unobserve = (): undefined => undefined;
  disconnect = (): undefined => undefined;
  takeRecords = (): [] => [];
}

// Idle callbacks run even while a test stops the clock.
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

// jsdom has the element, but no top layer.
Object.assign(HTMLDialogElement.prototype, {
  showModal(this: HTMLDialogElement) {
    this.open = true;
  },
  close(this: HTMLDialogElement) {
    this.open = false;
    this.dispatchEvent(new Event('close'));
  }
});
