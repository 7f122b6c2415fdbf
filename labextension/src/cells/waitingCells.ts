import type { Cell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { PanelLayout } from '@lumino/widgets';
import type { IApproval, ILimitRequest, IWaiting } from '../protocol/waiting';
import type { IWaitingApprovals } from '../state/waitingApprovals';
import type { WaitingLimits } from '../state/waitingLimits';
import type { WaitingCard } from './waitingCard';

/** A card counts as visible if at least this share of its area is in view, or this many pixels of its height. */
const HALF = 0.5;
const PIXELS = 120;

/**
 * Shows approval requests and calls at a limit below the cells that wait for them, in every open view of a notebook.
 *
 * A card belongs to the cell's widget and not to its output, so no kernel message and no notebook file contains it.
 */
export class WaitingCells {
  constructor(options: WaitingCells.IOptions) {
    this._options = options;
    options.approvals.changed.connect(this._drawAll, this);
    options.limits.changed.connect(this._drawAll, this);
    options.tracker.widgetAdded.connect((_, panel) => {
      void panel.context.ready.then(() => {
        // JupyterLab creates a new widget for a cell when the file is reloaded, another user edits, or the cell is
        // moved.
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

  /** Move the focus to the card of a waiting request in the current notebook. Return false if there is no card. */
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

  /**
   * Add a box for cards at the end of a cell. Return null if the cell is not drawn yet or the code of the cards is not
   * loaded yet; the box is added once it is.
   */
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

  /** Load the code of the cards, and then add the cards that are missing. */
  private async _loadCards(): Promise<void> {
    try {
      this._newCard = await this._options.loadCards();
      this._drawAll();
    } catch (reason) {
      // The next change of the waiting requests starts another load.
      console.warn(
        'The cards of waiting requests could not be loaded; the next change of the requests tries again.',
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
  /** The elements of cards that the user can see: in a visible tab, and not scrolled out of view. */
  private readonly _visible = new WeakSet<Element>();
  private readonly _viewed = new Signal<this, void>(this);
  private readonly _observer = new IntersectionObserver(
    changes => this._onViewed(changes),
    { threshold: [0, 0.25, HALF, 0.75, 1] }
  );
}

/** Creates the box for a cell's cards. `onDecided` is called after the user has decided a request. */
export type NewCard = (onDecided: () => void) => WaitingCard;

/** A namespace for the types that belong to `WaitingCells`. */
export namespace WaitingCells {
  /** The options of the constructor of `WaitingCells`. */
  export interface IOptions {
    approvals: IWaitingApprovals;
    limits: WaitingLimits;
    contents: Contents.IManager;
    /**
     * Loads the function that creates boxes for cards. It is called when the first box is needed, and again if it
     * failed.
     */
    loadCards: () => Promise<NewCard>;
    tracker: INotebookTracker;
  }
}

/** Return the waiting requests of the notebook at a path, grouped by the id of their cell. */
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
