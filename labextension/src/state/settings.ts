import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { StatusItemContent } from '../words/labels';

/** The user's settings: which parts of the interface are shown, and which notifications the user gets. */
export interface IGovernanceSettings {
  readonly showPanel: boolean;
  readonly showStatusItem: boolean;
  readonly statusItem: StatusItemContent;
  readonly showReceipts: boolean;
  readonly notifyOfDenials: boolean;
  readonly notifyOfWarnings: boolean;
  readonly notifyOfApprovals: boolean;
}

/** The default settings, the same as in `schema/settings.json`. */
export const DEFAULT_SETTINGS: IGovernanceSettings = {
  showPanel: true,
  showStatusItem: true,
  statusItem: 'level-and-left',
  showReceipts: true,
  notifyOfDenials: true,
  notifyOfWarnings: true,
  notifyOfApprovals: true
};

/** Holds the user's current settings, and emits a signal when they change. */
export class GovernanceSettings {
  /** The user's settings; the default settings until the user's own are loaded. */
  get current(): IGovernanceSettings {
    return this._current;
  }

  /** Emitted with the new settings after they were loaded and after the user changed one. */
  get changed(): ISignal<this, IGovernanceSettings> {
    return this._changed;
  }

  /** Replace the current settings; the settings registry has validated the new ones against the schema. */
  adopt(composite: Readonly<Record<string, unknown>>): void {
    this._current = {
      ...DEFAULT_SETTINGS,
      ...(composite as Partial<IGovernanceSettings>)
    };
    this._changed.emit(this._current);
  }

  private readonly _changed = new Signal<this, IGovernanceSettings>(this);
  private _current = DEFAULT_SETTINGS;
}

/** The token with which the plugins of this extension get the settings. */
export const ISettings = new Token<GovernanceSettings>(
  'aumos-governance:ISettings',
  "The user's settings: what is shown, and of what the user is notified."
);
