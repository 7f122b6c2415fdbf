import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

/** Tracks which notebook is in front in JupyterLab, by its server-local path, and whether it gets another kernel. */
export class FrontNotebook implements IDisposable {
  constructor(options: FrontNotebook.IOptions) {
    this._shell = options.shell;
    this._tracker = options.tracker;
    this._contents = options.contents;
    this._isCompanion = options.isCompanion;
    this._tracker.currentChanged.connect(this._onCurrent, this);
    this._shell.currentChanged?.connect(this._onCurrent, this);
    this._onCurrent();
  }

  /** The path of the notebook in front; null if none is. */
  get path(): string | null {
    return this._path;
  }

  /** Emitted when another notebook comes to the front, none is in front any more, or the one in front is renamed. */
  get pathChanged(): ISignal<this, string | null> {
    return this._pathChanged;
  }

  /** Emitted when the notebook in front gets another kernel. */
  get kernelChanged(): ISignal<this, void> {
    return this._kernelChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._unwatch();
    Signal.clearData(this);
  }

  private _onCurrent(): void {
    const panel = this._tracker.currentWidget;
    const front = this._shell.currentWidget;
    // While a terminal or an editor is in front, the tracker still reports the last notebook as the current one.
    const isInFront = panel === front || (front && this._isCompanion?.(front));
    const current = isInFront ? panel : null;
    if (current !== this._panel) {
      this._unwatch();
      this._panel = current;
      current?.context.pathChanged.connect(this._onPath, this);
      current?.sessionContext.kernelChanged.connect(this._onKernel, this);
    }
    this._onPath();
  }

  private _onPath(): void {
    const path = this._panel
      ? this._contents.localPath(this._panel.context.path)
      : null;
    if (path !== this._path) {
      this._path = path;
      this._pathChanged.emit(path);
    }
  }

  private _onKernel(): void {
    this._kernelChanged.emit();
  }

  private _unwatch(): void {
    this._panel?.context.pathChanged.disconnect(this._onPath, this);
    this._panel?.sessionContext.kernelChanged.disconnect(this._onKernel, this);
    this._panel = null;
  }

  private readonly _shell: JupyterFrontEnd.IShell;
  private readonly _tracker: INotebookTracker;
  private readonly _contents: Contents.IManager;
  private readonly _isCompanion: ((widget: Widget) => boolean) | undefined;
  private readonly _pathChanged = new Signal<this, string | null>(this);
  private readonly _kernelChanged = new Signal<this, void>(this);
  private _panel: NotebookPanel | null = null;
  private _path: string | null = null;
  private _isDisposed = false;
}

/** A namespace for the types that belong to `FrontNotebook`. */
export namespace FrontNotebook {
  /** The options of the constructor of `FrontNotebook`. */
  export interface IOptions {
    shell: JupyterFrontEnd.IShell;
    tracker: INotebookTracker;
    contents: Contents.IManager;
    /**
     * Returns whether a tab shows more about the last notebook, such as its audit record. While it does, that notebook
     * still counts as in front.
     */
    isCompanion?: (widget: Widget) => boolean;
  }
}
