import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { PanelLayout } from '@lumino/widgets';
import type { IApproval } from '../protocol/waiting';
import type { IWaitingApprovals } from '../state/waitingApprovals';
import { WaitingCard } from './waitingCard';

/**
 * Puts what waits for an approval under the cell that waits, in every open view of its notebook.
 *
 * The card is a part of the cell and not of its output, so neither a kernel's messages nor the file reach it.
 */
export class WaitingCells {
  constructor(options: WaitingCells.IOptions) {
    this._options = options;
    options.approvals.changed.connect(this._drawAll, this);
    options.tracker.widgetAdded.connect((_, panel) => {
      void panel.context.ready.then(() => {
        // Cells come with the file, with a change of another user, and when they are moved.
        panel.content.model?.cells.changed.connect(() => this._draw(panel));
        panel.context.pathChanged.connect(() => this._draw(panel));
        this._draw(panel);
      });
    });
  }

  /** Move the focus to the card of an approval in the notebook in front; false where it has none. */
  lead(approval: IApproval): boolean {
    const panel = this._options.tracker.currentWidget;
    const cell = panel?.content.widgets.find(
      ({ model }) => model.id === approval.cell.id
    );
    return (cell && this._cards.get(cell)?.lead(approval.id)) ?? false;
  }

  private _drawAll(): void {
    this._options.tracker.forEach(panel => this._draw(panel));
  }

  private _draw(panel: NotebookPanel): void {
    if (panel.isDisposed || panel.content.model === null) {
      return;
    }
    const { approvals, contents } = this._options;
    const path = contents.localPath(panel.context.path);
    const own = new Map<string, IApproval[]>();
    for (const approval of approvals.entries) {
      const { cell, notebook } = approval;
      if (notebook === path && cell.id !== null) {
        own.set(cell.id, [...(own.get(cell.id) ?? []), approval]);
      }
    }
    for (const cell of panel.content.widgets) {
      this._drawCell(panel, cell, own.get(cell.model.id) ?? []);
    }
  }

  private _drawCell(
    panel: NotebookPanel,
    cell: Cell,
    approvals: readonly IApproval[]
  ): void {
    const known = this._cards.get(cell);
    if (approvals.length === 0) {
      known?.dispose();
      this._cards.delete(cell);
      return;
    }
    (known ?? this._add(panel, cell))?.tell(approvals);
  }

  /** A card at the end of a cell; null where the cell has no content yet. */
  private _add(panel: NotebookPanel, cell: Cell): WaitingCard | null {
    const { layout } = cell;
    if (cell.isPlaceholder() || !(layout instanceof PanelLayout)) {
      void cell.ready.then(() => this._draw(panel));
      return null;
    }
    const card = new WaitingCard({
      ...this._options,
      onDecided: () => panel.content.activate()
    });
    this._cards.set(cell, card);
    layout.addWidget(card);
    return card;
  }

  private readonly _options: WaitingCells.IOptions;
  private readonly _cards = new WeakMap<Cell, WaitingCard>();
}

/** A namespace for `WaitingCells` statics. */
export namespace WaitingCells {
  /** The instantiation options. */
  export interface IOptions extends Omit<WaitingCard.IOptions, 'onDecided'> {
    approvals: IWaitingApprovals;
    contents: Contents.IManager;
    tracker: INotebookTracker;
  }
}
