import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import React from 'react';
import { BudgetBar } from '../widgets/budgetBar';
import { heading, notes, oneLine, rows, shownFigures } from '../words/labels';
import type { IApprovalsInPage } from '../state/waitingApprovals';
import type { IGovernanceModel } from '../tokens';
import { WaitingLinks } from './waitingLinks';

/**
 * The figures of the notebook in front, in a box beside an anchor.
 *
 * Escape, Tab and a press outside close it: then it is disposed, and the anchor has the focus again
 * if the box had it. That the focus merely leaves does not close it: a notebook takes it back by
 * itself when a cell has run.
 */
export class GovernancePopover extends ReactWidget {
  constructor(options: GovernancePopover.IOptions) {
    super();
    this._model = options.model;
    this._trans = options.trans;
    this._anchor = options.anchor;
    this._approvals = options.approvals;
    this._approvals?.changed.connect(this._onChanged, this);
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
    super.dispose();
  }

  /** Show it and move the focus into it. */
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
        {notes(this._model, this._trans).map(note => (
          <p className="aumos-Popover-note" key={note}>
            {note}
          </p>
        ))}
      </>
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
      // The browser then goes on from the anchor.
      this.close();
    }
  }

  /** Whether no control of the box follows the one that has the focus. */
  private _isLast(isBackwards: boolean): boolean {
    const controls = [...this.node.querySelectorAll('button')];
    return (
      document.activeElement === controls.at(isBackwards ? 0 : -1) ||
      controls.length === 0 ||
      (isBackwards && document.activeElement === this.node)
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

  /** Put it where there is more room, above or below the anchor. */
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
}

/** A namespace for `GovernancePopover` statics. */
export namespace GovernancePopover {
  /** The instantiation options. */
  export interface IOptions {
    model: IGovernanceModel;
    trans: TranslationBundle;
    /** The control that opened it. */
    anchor: HTMLElement;
    /** What waits for approval on any notebook, to lead there. */
    approvals?: IApprovalsInPage;
  }
}
