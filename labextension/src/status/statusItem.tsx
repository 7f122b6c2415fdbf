import type { TranslationBundle } from '@jupyterlab/translation';
import { type LabIcon, ReactWidget } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import React from 'react';
import { BudgetBar } from '../widgets/budgetBar';
import { type Severity, SEVERITIES } from '../words/figures';
import { fullIcon, governanceIcon, offIcon, unreachableIcon } from '../icons';
import {
  budgetWarning,
  shownFigures,
  summaryParts,
  tooltip
} from '../words/labels';
import type { IApprovalsInPage } from '../state/waitingApprovals';
import type { GovernancePopover } from './popover';
import {
  DEFAULT_SETTINGS,
  type GovernanceSettings,
  type IGovernanceSettings
} from '../state/settings';
import type { Starter } from '../state/starter';
import type { IGovernanceModel } from '../tokens';

/**
 * The item in the status bar with the trust level and remaining budget of the notebook in front. It is hidden if no
 * notebook is in front; a click opens the popover.
 */
export class GovernanceStatusItem extends ReactWidget {
  constructor(options: GovernanceStatusItem.IOptions) {
    super();
    this._model = options.model;
    this._trans = options.trans;
    this._settings = options.settings;
    this._approvals = options.approvals;
    this._starter = options.starter ?? null;
    this._loadPopover = options.loadPopover;
    this._shown = options.settings?.current ?? DEFAULT_SETTINGS;
    this.id = 'aumos-governance-status';
    this.addClass('aumos-StatusItem');
    this._model.changed.connect(this._onChanged, this);
    this._settings?.changed.connect(this._onSettings, this);
    this._approvals?.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  /** Emitted when `isActive` may have changed, so that the status bar reads it again. */
  get activeChanged(): ISignal<this, void> {
    return this._activeChanged;
  }

  /** Whether the status bar is to show the item: a notebook is in front, and the settings do not hide the item. */
  get isActive(): boolean {
    return this._model.path !== null && this._shown.showStatusItem;
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._model.changed.disconnect(this._onChanged, this);
    this._settings?.changed.disconnect(this._onSettings, this);
    this._approvals?.changed.disconnect(this._onChanged, this);
    this._popover?.dispose();
    super.dispose();
  }

  protected override render(): React.JSX.Element {
    const model = this._model;
    const figures = model.state?.active ? shownFigures(model) : null;
    const reachable = model.connection !== 'unreachable';
    const parts = summaryParts(model, this._trans, this._shown.statusItem);
    const warning = budgetWarning(model, this._trans);
    const waiting = waitingWords(this._approvals, this._trans);
    const icon = this._icon(figures?.severity ?? null);
    return (
      <>
        <button
          type="button"
          className="aumos-StatusItem-button jp-StatusBar-TextItem"
          title={tooltip(model, this._trans)}
          aria-label={[parts.join(''), waiting, warning]
            .filter(Boolean)
            .join('. ')}
          aria-haspopup="dialog"
          aria-expanded={this._popover !== null}
          data-connection={model.connection}
          data-severity={figures?.severity}
          onClick={this._toggle}
        >
          <icon.react tag="span" className="aumos-StatusItem-icon" />
          <span className="aumos-StatusItem-text">
            {parts.map((part, index) => (
              <span key={index}>{part}</span>
            ))}
          </span>
          {waiting !== '' && (
            <span className="aumos-Count aumos-StatusItem-waiting">
              {waiting}
            </span>
          )}
          {figures && reachable && <BudgetBar figures={figures} />}
        </button>
        <span className="aumos-StatusItem-announcement" role="status">
          {this._announcement}
        </span>
      </>
    );
  }

  private _onSettings(_: unknown, current: IGovernanceSettings): void {
    this._shown = current;
    this._onChanged();
  }

  private _onChanged(): void {
    this.setHidden(!this.isActive);
    this._activeChanged.emit();
    this._announce();
    this.update();
  }

  /** Have screen readers announce that a session's spending has passed another warning mark. */
  private _announce(): void {
    const state = this._model.state;
    const severity = shownFigures(this._model)?.severity ?? 'normal';
    const session = state?.active ? `${state.session_id} ${state.path}` : null;
    const rose =
      session !== null &&
      session === this._announced.session &&
      rank(severity) > rank(this._announced.severity);
    if (rose) {
      this._announcement = budgetWarning(this._model, this._trans);
    } else if (session !== this._announced.session) {
      this._announcement = '';
    }
    this._announced = { session, severity };
  }

  private _icon(severity: Severity | null): LabIcon {
    if (this._model.connection === 'unreachable') {
      return unreachableIcon;
    }
    if (severity === null) {
      return offIcon;
    }
    return severity === 'normal' || severity === 'notice'
      ? governanceIcon
      : fullIcon;
  }

  private readonly _toggle = (
    event: React.MouseEvent<HTMLButtonElement>
  ): void => {
    if (this._popover) {
      this._popover.close();
      return;
    }
    if (!this._isOpening) {
      void this._open(event.currentTarget);
    }
    if (this._model.connection !== 'live') {
      void this._model.refresh();
    }
  };

  private async _open(anchor: HTMLElement): Promise<void> {
    this._isOpening = true;
    const Popover = await this._loadPopover().finally(() => {
      this._isOpening = false;
    });
    if (this.isDisposed) {
      return;
    }
    const popover = new Popover({
      model: this._model,
      trans: this._trans,
      anchor,
      ...(this._approvals && { approvals: this._approvals }),
      starter: this._starter
    });
    popover.disposed.connect(() => {
      this._popover = null;
      this.update();
    });
    this._popover = popover;
    this.update();
    popover.open();
  }

  private readonly _model: IGovernanceModel;
  private readonly _trans: TranslationBundle;
  private readonly _settings: GovernanceSettings | undefined;
  private readonly _approvals: IApprovalsInPage | undefined;
  private readonly _starter: Starter | null;
  private readonly _activeChanged = new Signal<this, void>(this);
  private _shown: IGovernanceSettings;
  private readonly _loadPopover: () => Promise<typeof GovernancePopover>;
  private _isOpening = false;
  private _popover: GovernancePopover | null = null;
  private _announcement = '';
  private _announced: { session: string | null; severity: Severity } = {
    session: null,
    severity: 'normal'
  };
}

/** A namespace for the types that belong to `GovernanceStatusItem`. */
export namespace GovernanceStatusItem {
  /** The options of the constructor of `GovernanceStatusItem`. */
  export interface IOptions {
    model: IGovernanceModel;
    trans: TranslationBundle;
    /** Determines whether the item is shown and with which figures; if omitted, the default settings apply. */
    settings?: GovernanceSettings;
    /** What waits for the user in all notebooks; if omitted, the item does not show the number. */
    approvals?: IApprovalsInPage;
    /** Starts governance; the popover has its form for that. */
    starter?: Starter | null;
    /** Loads the class of the popover; called at each click that opens the popover. */
    loadPopover: () => Promise<typeof GovernancePopover>;
  }
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** Return a text such as "2 waiting" about approval requests and calls at a limit; empty if none wait. */
function waitingWords(
  approvals: IApprovalsInPage | undefined,
  trans: TranslationBundle
): string {
  const count = approvals
    ? approvals.entries.length + approvals.atLimit.length
    : 0;
  return count === 0 ? '' : trans._n('%1 waiting', '%1 waiting', count, count);
}
