import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { IGovernanceState } from '../protocol/state';
import type { GovernanceSettings } from '../state/settings';
import type { IGovernanceModel } from '../tokens';
import { ReceiptBadge } from './receiptBadge';
import type { ReceiptBook } from './receiptBook';

/**
 * The delay between a change of a notebook and the load of its records, in milliseconds: one load then covers all
 * changes meanwhile.
 */
const GATHER = 500;
/**
 * The class of an element that contains a badge. The style sheet uses it in place of the selector `:has`, which would
 * slow down the drawing of all cells.
 */
const HOST = 'aumos-Receipt-host';

/**
 * Adds to each cell that spent something a badge with the amount, in every open notebook; the notebook's file does not
 * change.
 */
export class CellReceipts {
  constructor(options: CellReceipts.IOptions) {
    this._book = options.book;
    this._tracker = options.tracker;
    this._contents = options.contents;
    this._settings = options.settings;
    this._trans = options.trans;
    options.model.learned.connect(this._onState, this);
    this._book.changed.connect((_, path) => this._draw(path));
    this._settings.changed.connect(() =>
      this._tracker.forEach(panel => this._drawPanel(panel))
    );
    this._tracker.widgetAdded.connect((_, panel) => {
      void panel.context.ready.then(() => this._drawPanel(panel));
    });
  }

  private _onState(_: IGovernanceModel, state: IGovernanceState): void {
    const { path, session_id: session } = state;
    // No session was ever opened, so no cell can have spent anything.
    if (
      session === null ||
      !this._settings.current.showReceipts ||
      this._panels(path).length === 0
    ) {
      return;
    }
    if (!this._waiting.has(path)) {
      this._waiting.add(path);
      window.setTimeout(() => {
        this._waiting.delete(path);
        // If this load fails, the next change of the notebook loads the records.
        this._book.read(path).catch(() => undefined);
      }, GATHER);
    }
  }

  private _draw(path: string): void {
    for (const panel of this._panels(path)) {
      this._drawPanel(panel);
    }
  }

  private _drawPanel(panel: NotebookPanel): void {
    if (panel.isDisposed) {
      return;
    }
    const path = this._contents.localPath(panel.context.path);
    for (const cell of panel.content.widgets) {
      this._drawCell(path, cell);
    }
  }

  private _drawCell(path: string, cell: Cell): void {
    const receipt = this._settings.current.showReceipts
      ? this._book.of(path, cell.model.id)
      : null;
    const known = this._badges.get(cell);
    if (!receipt) {
      known?.dispose();
      this._badges.delete(cell);
      return;
    }
    const badge = known ?? this._add(cell);
    badge?.setReceipt(receipt);
  }

  /** Add a badge at the lower edge of a cell's input. Return null if the cell is not drawn yet. */
  private _add(cell: Cell): ReceiptBadge | null {
    const host = cell.inputArea?.node.parentElement;
    if (!host) {
      void cell.ready.then(() => {
        const panel = this._tracker.find(({ content }) =>
          content.widgets.includes(cell)
        );
        if (panel) {
          this._drawCell(this._contents.localPath(panel.context.path), cell);
        }
      });
      return null;
    }
    const badge = new ReceiptBadge(this._trans);
    this._badges.set(cell, badge);
    // The badge is attached to the element and not added to the layout of the cell's input, which JupyterLab manages.
    Widget.attach(badge, host);
    host.classList.add(HOST);
    badge.disposed.connect(() => host.classList.remove(HOST));
    cell.disposed.connect(() => badge.dispose());
    return badge;
  }

  private _panels(path: string): NotebookPanel[] {
    return this._tracker
      .filter(panel => this._contents.localPath(panel.context.path) === path)
      .filter(panel => panel.content.model !== null);
  }

  private readonly _book: ReceiptBook;
  private readonly _tracker: INotebookTracker;
  private readonly _contents: Contents.IManager;
  private readonly _settings: GovernanceSettings;
  private readonly _trans: TranslationBundle;
  private readonly _waiting = new Set<string>();
  private readonly _badges = new WeakMap<Cell, ReceiptBadge>();
}

/** A namespace for the types that belong to `CellReceipts`. */
export namespace CellReceipts {
  /** The options of the constructor of `CellReceipts`. */
  export interface IOptions {
    book: ReceiptBook;
    model: IGovernanceModel;
    tracker: INotebookTracker;
    contents: Contents.IManager;
    settings: GovernanceSettings;
    trans: TranslationBundle;
  }
}
