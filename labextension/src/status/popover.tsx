import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { BudgetBar } from '../widgets/budgetBar';
import {
  connectionNotes,
  heading,
  notes,
  oneLine,
  rows,
  shownFigures
} from '../words/labels';
import type { Starter } from '../state/starter';
import type { IApprovalsInPage } from '../state/waitingApprovals';
import type { IGovernanceModel } from '../tokens';
import { KernelNotes, StartForm } from '../widgets/startForm';
import { WaitingLinks } from './waitingLinks';

/**
 * A box that opens beside the status item with the figures of the notebook in front, and a form to start governance.
 *
 * Escape, Tab and a click outside close and dispose the box; if it had the focus, the status item gets it back. Losing
 * the focus alone does not close the box, since a notebook takes the focus when a cell has run.
 */
export class GovernancePopover extends ReactWidget {
  constructor(options: GovernancePopover.IOptions) {
    super();
    this._model = options.model;
    this._trans = options.trans;
    this._anchor = options.anchor;
    this._approvals = options.approvals;
    this._approvals?.changed.connect(this._onChanged, this);
    this._starter = options.starter ?? null;
    this._starter?.changed.connect(this.update, this);
    this.addClass('jp-ThemedContainer');
    this.addClass('aumos-Popover');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-label', this._trans.__('Governance'));
    this._model.changed.connect(this._onChanged, this);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._model.changed.disconnect(this._onChanged, this);
    this._approvals?.changed.disconnect(this._onChanged, this);
    this._starter?.changed.disconnect(this.update, this);
    super.dispose();
  }

  /** Show the box and move the focus into it. */
  open(): void {
    Widget.attach(this, document.body);
    this.node.focus({ preventScroll: true });
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case 'keydown':
        this._onKey(event as KeyboardEvent);
        break;
      case 'pointerdown':
        if (!this._owns(event.target)) {
          this.close();
        }
        break;
      case 'resize':
        this._place();
        break;
    }
  }

  protected override render(): React.JSX.Element {
    const figures = shownFigures(this._model);
    const list = rows(this._model, this._trans);
    const start = this._start();
    return (
      <>
        <h2 className="aumos-Popover-heading">
          {heading(this._model, this._trans)}
        </h2>
        {this._model.path !== null && (
          <p className="aumos-Popover-path" title={oneLine(this._model.path)}>
            <bdi>{oneLine(this._model.path)}</bdi>
          </p>
        )}
        {this._approvals && (
          <WaitingLinks
            approvals={this._approvals}
            leave={() => this.dispose()}
            path={this._model.path}
            trans={this._trans}
          />
        )}
        {figures && <BudgetBar figures={figures} marks />}
        {list.length > 0 && (
          <dl className="aumos-Popover-figures">
            {list.map(row => (
              <React.Fragment key={row.name}>
                <dt>{row.name}</dt>
                <dd title={row.value}>
                  <bdi>{row.value}</bdi>
                </dd>
              </React.Fragment>
            ))}
          </dl>
        )}
        {(start ? connectionNotes : notes)(this._model, this._trans).map(
          note => (
            <p className="aumos-Popover-note" key={note}>
              {note}
            </p>
          )
        )}
        {start}
      </>
    );
  }

  /**
   * Return the form that starts governance, or, in a governed notebook, a text about why the kernel lacks the magics;
   * null if neither is needed.
   */
  private _start(): React.JSX.Element | null {
    const { path, state } = this._model;
    if (this._starter === null || path === null || state === null) {
      return null;
    }
    const parts = {
      model: this._model,
      path,
      starter: this._starter,
      trans: this._trans
    };
    // The form disappears together with the button that had the focus, so the box itself gets the focus.
    const onStarted = (): void => this.node.focus({ preventScroll: true });
    return state.active ? (
      this._starter.obstacle(path) && <KernelNotes {...parts} />
    ) : (
      <StartForm key={path} {...parts} onStarted={onStarted} />
    );
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    document.addEventListener('keydown', this, true);
    document.addEventListener('pointerdown', this, true);
    window.addEventListener('resize', this);
  }

  protected override onBeforeDetach(msg: Message): void {
    document.removeEventListener('keydown', this, true);
    document.removeEventListener('pointerdown', this, true);
    window.removeEventListener('resize', this);
    super.onBeforeDetach(msg);
  }

  protected override onUpdateRequest(msg: Message): void {
    super.onUpdateRequest(msg);
    this._place();
    // The width of the box, on which its place depends, is known only after rendering.
    void this.renderPromise?.then(() => this._place());
  }

  protected override onCloseRequest(_: Message): void {
    const hadFocus = this.node.contains(document.activeElement);
    this.dispose();
    if (hadFocus) {
      this._anchor.focus({ preventScroll: true });
    }
  }

  private _onKey(event: KeyboardEvent): void {
    const inside = this.node.contains(document.activeElement);
    if (event.key === 'Escape') {
      if (inside) {
        event.preventDefault();
        event.stopPropagation();
      }
      this.close();
    } else if (event.key === 'Tab' && inside && this._isLast(event.shiftKey)) {
      // Closing moves the focus to the status item; from there the browser handles the Tab key.
      this.close();
    }
  }

  /** Return whether the Tab key would move the focus out of the box; `backwards` means Shift+Tab. */
  private _isLast(backwards: boolean): boolean {
    const controls = [...this.node.querySelectorAll<HTMLElement>('*')].filter(
      ({ tabIndex }) => tabIndex >= 0
    );
    const last = backwards ? controls[0] : controls[controls.length - 1];
    return (
      document.activeElement === (last ?? this.node) ||
      (backwards && document.activeElement === this.node)
    );
  }

  private _onChanged(): void {
    if (this._model.path === null) {
      this.close();
    } else {
      this.update();
    }
  }

  private _owns(target: EventTarget | null): boolean {
    return (
      target instanceof Node &&
      (this.node.contains(target) || this._anchor.contains(target))
    );
  }

  /** Place the box above or below the status item, on the side with more room. */
  private _place(): void {
    const anchor = this._anchor.getBoundingClientRect();
    const above = anchor.top > window.innerHeight - anchor.bottom;
    const left = Math.min(
      anchor.left,
      window.innerWidth - this.node.offsetWidth
    );
    Object.assign(this.node.style, {
      left: `${Math.max(0, left)}px`,
      top: above ? '' : `${anchor.bottom}px`,
      bottom: above ? `${window.innerHeight - anchor.top}px` : '',
      maxHeight: `${above ? anchor.top : window.innerHeight - anchor.bottom}px`
    });
  }

  private readonly _model: IGovernanceModel;
  private readonly _trans: TranslationBundle;
  private readonly _anchor: HTMLElement;
  private readonly _approvals: IApprovalsInPage | undefined;
  private readonly _starter: Starter | null;
}

/** A namespace for the types that belong to `GovernancePopover`. */
export namespace GovernancePopover {
  /** The options of the constructor of `GovernancePopover`. */
  export interface IOptions {
    model: IGovernanceModel;
    trans: TranslationBundle;
    /** The element that opened the box and beside which the box is placed. */
    anchor: HTMLElement;
    /** What waits for the user in all notebooks; if omitted, the box has no links to that. */
    approvals?: IApprovalsInPage;
    /** Starts governance; if it is omitted or null, the box has no form for that. */
    starter?: Starter | null;
  }
}
