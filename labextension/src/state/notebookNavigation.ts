import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { CommandRegistry } from '@lumino/commands';
import type { ICell } from '../protocol/waiting';

/** Opens notebooks in JupyterLab, and shows their cells. */
export interface INotebookNavigation {
  /** Open the notebook at a server-local path, or bring it to the front if it is open. */
  open(path: string): Promise<void>;
  /**
   * Open the notebook at a server-local path and scroll to a cell. If the cell no longer exists, only open the
   * notebook.
   */
  goTo(path: string, cell: ICell): Promise<void>;
}

/** Opens notebooks with the command of JupyterLab's document manager. */
export class NotebookNavigation implements INotebookNavigation {
  constructor(options: NotebookNavigation.IOptions) {
    this._commands = options.commands;
    this._tracker = options.tracker;
    this._contents = options.contents;
  }

  async open(path: string): Promise<void> {
    await this._commands.execute('docmanager:open', { path });
  }

  async goTo(path: string, cell: ICell): Promise<void> {
    await this.open(path);
    const panel = this._find(path);
    await panel?.context.ready;
    const index =
      panel?.content.widgets.findIndex(({ model }) => model.id === cell.id) ??
      -1;
    if (panel && index >= 0) {
      panel.content.activeCellIndex = index;
      await panel.content.scrollToItem(index, 'center');
    }
  }

  private _find(path: string): NotebookPanel | undefined {
    return this._tracker.find(
      panel => this._contents.localPath(panel.context.path) === path
    );
  }

  private readonly _commands: CommandRegistry;
  private readonly _tracker: INotebookTracker;
  private readonly _contents: Contents.IManager;
}

/** A namespace for the types that belong to `NotebookNavigation`. */
export namespace NotebookNavigation {
  /** The options of the constructor of `NotebookNavigation`. */
  export interface IOptions {
    commands: CommandRegistry;
    tracker: INotebookTracker;
    contents: Contents.IManager;
  }
}
