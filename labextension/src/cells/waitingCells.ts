import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { PanelLayout } from '@lumino/widgets';
import type { IApproval, ILimitRequest, IWaiting } from '../protocol/waiting';
import type { IWaitingApprovals } from '../state/waitingApprovals';
import type { WaitingLimits } from '../state/waitingLimits';
import type { WaitingCard } from './waitingCard';

/** A card counts as visible if this share of it is, or this many pixels of its height. */
const HALF = 0.5;
const PIXELS = 120;

/**
 * Adds cards with approval requests and calls at a limit below the cells that wait, in every open view of a notebook.
 *
 * A card belongs to the cell's widget and not to its output, so it is in no kernel message and not in the file.
 */
export class WaitingCells {
  constructor(options: WaitingCells.IOptions) {
    this._options = options;
    options.approvals.changed.connect(this._drawAll, this);
    options.limits.changed.connect(this._drawAll, this);
    options.tracker.widgetAdded.connect((_, panel) => {
      void panel.context.ready.then(() => {
        // A cell's widget is created anew when the file is reloaded, another user edits, or the cell is moved.
        panel.content.model?.cells.changed.connect(() => this._draw(panel));
        panel.context.pathChanged.connect(() => this._draw(panel));
        this._draw(panel);
      });
    });
  }

  /** Return whether the card of a waiting request is visible in any view of its notebook. */
  isInView({ cell, notebook }: IWaiting): boolean {
    const { contents, tracker } = this._options;
    return (
      tracker.find(
        panel =>
          contents.localPath(panel.context.path) === notebook &&
          panel.content.widgets.some(widget => {
            const card = widget.model.id === cell.id && this._cards.get(widget);
            return card && this._visible.has(card.node);
          })
      ) !== undefined
    );
  }

  /** Emitted when `isInView` may have changed. */
  get viewed(): ISignal<this, void> {
    return this._viewed;
  }

  /** Move the focus to the card of a waiting request in the current notebook; false if there is no card. */
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
    const atLimit = byCell(limits.entries, path);
    for (const cell of panel.content.widgets) {
      const { id } = cell.model;
      this._drawCell(panel, cell, waiting.get(id) ?? [], atLimit.get(id) ?? []);
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

  /** Add a card at the end of a cell; null if the cell or the code of the cards is not loaded yet. */
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

  /** Load the code of the cards, and add the cards that are missing. */
  private async _loadCards(): Promise<void> {
    try {
      this._newCard = await this._options.loadCards();
      this._drawAll();
    } catch (reason) {
      // It is tried again with the next change of the waiting requests.
      console.warn(
        'The cards of waiting requests could not be loaded.',
        reason
      );
    }
  }

  private _onViewed(changes: readonly IntersectionObserverEntry[]): void {
    for (const { intersectionRatio, intersectionRect, target } of changes) {
      if (intersectionRatio >= HALF || intersectionRect.height >= PIXELS) {
        this._visible.add(target);
      } else {
        this._visible.delete(target);
      }
    }
    this._viewed.emit();
  }

  private readonly _options: WaitingCells.IOptions;
  private _newCard: NewCard | null = null;
  private readonly _cards = new WeakMap<Cell, WaitingCard>();
  /** The elements of the visible cards: not in a hidden tab, and not scrolled away. */
  private readonly _visible = new WeakSet<Element>();
  private readonly _viewed = new Signal<this, void>(this);
  private readonly _observer = new IntersectionObserver(
    changes => this._onViewed(changes),
    { threshold: [0, 0.25, HALF, 0.75, 1] }
  );
}

/** Creates a card, which calls `onDecided` when the user has decided. */
export type NewCard = (onDecided: () => void) => WaitingCard;

/** A namespace for `WaitingCells` statics. */
export namespace WaitingCells {
  /** The instantiation options. */
  export interface IOptions {
    approvals: IWaitingApprovals;
    limits: WaitingLimits;
    contents: Contents.IManager;
    /** Loads the function that creates cards; called when the first card is needed, and again if that failed. */
    loadCards: () => Promise<NewCard>;
    tracker: INotebookTracker;
  }
}

/** Return the waiting requests of a notebook by the id of their cell. */
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
