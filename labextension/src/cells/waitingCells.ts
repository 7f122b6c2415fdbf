import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { PanelLayout } from '@lumino/widgets';
import type { IApproval, ILimitRequest, IWaiting } from '../protocol/waiting';
import type { IWaitingApprovals } from '../state/waitingApprovals';
import type { WaitingLimits } from '../state/waitingLimits';
import type { WaitingCard } from './waitingCard';

/** How much of a card must be visible to count as seen: half of it, or this many pixels. */
const HALF = 0.5;
const PIXELS = 120;

/**
 * Shows approval requests, and calls at a limit, under the cell that waits, in every open view of its notebook.
 *
 * The card is a part of the cell and not of its output, so neither kernel messages nor the file contain it.
 */
export class WaitingCells {
  constructor(options: WaitingCells.IOptions) {
    this._options = options;
    options.approvals.changed.connect(this._drawAll, this);
    options.limits.changed.connect(this._drawAll, this);
    options.tracker.widgetAdded.connect((_, panel) => {
      void panel.context.ready.then(() => {
        // Cells are added with the file, by another user's edits, and when they are moved.
        panel.content.model?.cells.changed.connect(() => this._draw(panel));
        panel.context.pathChanged.connect(() => this._draw(panel));
        this._draw(panel);
      });
    });
  }

  /** Whether the card of a waiting request is on the screen, in any view of its notebook. */
  isInView({ cell, notebook }: IWaiting): boolean {
    const { contents, tracker } = this._options;
    return (
      tracker.find(
        panel =>
          contents.localPath(panel.context.path) === notebook &&
          panel.content.widgets.some(one => {
            const card = one.model.id === cell.id && this._cards.get(one);
            return card && this._seen.has(card.node);
          })
      ) !== undefined
    );
  }

  /** Emitted when `isInView` may have changed. */
  get viewed(): ISignal<this, void> {
    return this._viewed;
  }

  /** Move the focus to the card of a waiting request, in the notebook in front; false if it has none. */
  lead(entry: IWaiting): boolean {
    const panel = this._options.tracker.currentWidget;
    const cell = panel?.content.widgets.find(
      ({ model }) => model.id === entry.cell.id
    );
    return (cell && this._cards.get(cell)?.lead(entry.id)) ?? false;
  }

  private _drawAll(): void {
    this._options.tracker.forEach(panel => this._draw(panel));
  }

  private _draw(panel: NotebookPanel): void {
    if (panel.isDisposed || panel.content.model === null) {
      return;
    }
    const { approvals, contents, limits } = this._options;
    const path = contents.localPath(panel.context.path);
    const waiting = byCell(approvals.entries, path);
    const held = byCell(limits.entries, path);
    for (const cell of panel.content.widgets) {
      const { id } = cell.model;
      this._drawCell(panel, cell, waiting.get(id) ?? [], held.get(id) ?? []);
    }
  }

  private _drawCell(
    panel: NotebookPanel,
    cell: Cell,
    approvals: readonly IApproval[],
    limits: readonly ILimitRequest[]
  ): void {
    const known = this._cards.get(cell);
    if (approvals.length + limits.length === 0) {
      known?.dispose();
      this._cards.delete(cell);
      return;
    }
    (known ?? this._add(panel, cell))?.setRequests(approvals, limits);
  }

  /** A card at the end of a cell; null while the cell has no content yet. */
  private _add(panel: NotebookPanel, cell: Cell): WaitingCard | null {
    const { layout } = cell;
    if (cell.isPlaceholder() || !(layout instanceof PanelLayout)) {
      void cell.ready.then(() => this._draw(panel));
      return null;
    }
    if (this._newCard === null) {
      void this._loadCards();
      return null;
    }
    const card = this._newCard(() => panel.content.activate());
    this._cards.set(cell, card);
    layout.addWidget(card);
    this._observer.observe(card.node);
    card.disposed.connect(() => this._observer.unobserve(card.node));
    return card;
  }

  /** Load what makes cards, and draw those that wait. */
  private async _loadCards(): Promise<void> {
    try {
      this._newCard = await this._options.loadCards();
      this._drawAll();
    } catch (reason) {
      // The next change of what waits tries again.
      console.warn('The cards of governance could not be loaded.', reason);
    }
  }

  private _onViewed(changes: readonly IntersectionObserverEntry[]): void {
    for (const { intersectionRatio, intersectionRect, target } of changes) {
      if (intersectionRatio >= HALF || intersectionRect.height >= PIXELS) {
        this._seen.add(target);
      } else {
        this._seen.delete(target);
      }
    }
    this._viewed.emit();
  }

  private readonly _options: WaitingCells.IOptions;
  private _newCard: NewCard | null = null;
  private readonly _cards = new WeakMap<Cell, WaitingCard>();
  /** The visible cards: not in a hidden tab, and not scrolled away. */
  private readonly _seen = new WeakSet<Element>();
  private readonly _viewed = new Signal<this, void>(this);
  private readonly _observer = new IntersectionObserver(
    changes => this._onViewed(changes),
    { threshold: [0, 0.25, HALF, 0.75, 1] }
  );
}

/** Makes a card; its argument is called when the user has decided. */
export type NewCard = (onDecided: () => void) => WaitingCard;

/** A namespace for `WaitingCells` statics. */
export namespace WaitingCells {
  /** The instantiation options. */
  export interface IOptions {
    approvals: IWaitingApprovals;
    limits: WaitingLimits;
    contents: Contents.IManager;
    /** Loads what makes cards; called whenever something waits for a cell and it is not there yet. */
    loadCards: () => Promise<NewCard>;
    tracker: INotebookTracker;
  }
}

/** The waiting requests of a notebook, by the id of their cell. */
function byCell<T extends IWaiting>(
  entries: readonly T[],
  path: string
): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const entry of entries) {
    const { cell, notebook } = entry;
    if (notebook === path && cell.id !== null) {
      found.set(cell.id, [...(found.get(cell.id) ?? []), entry]);
    }
  }
  return found;
}
