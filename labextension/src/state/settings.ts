import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { StatusItemContent } from '../words/labels';

/** The user's settings: what is shown, and of what the user is notified. */
export interface IGovernanceSettings {
  readonly showPanel: boolean;
  readonly showStatusItem: boolean;
  readonly statusItem: StatusItemContent;
  readonly showReceipts: boolean;
  readonly notifyOfDenials: boolean;
  readonly notifyOfWarnings: boolean;
  readonly notifyOfApprovals: boolean;
}

/** The default settings, equal to those in `schema/settings.json`. */
export const DEFAULT_SETTINGS: IGovernanceSettings = {
  showPanel: true,
  showStatusItem: true,
  statusItem: 'level-and-left',
  showReceipts: true,
  notifyOfDenials: true,
  notifyOfWarnings: true,
  notifyOfApprovals: true
};

/** The current settings, and a signal when the user changes them. */
export class GovernanceSettings {
  get current(): IGovernanceSettings {
    return this._current;
  }

  /** Emitted with the new settings when they were loaded or the user changed one. */
  get changed(): ISignal<this, IGovernanceSettings> {
    return this._changed;
  }

  /** Apply settings that the settings editor validated against the schema. */
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

/** The settings, for the plugins of this extension. */
export const ISettings = new Token<GovernanceSettings>(
  'aumos-governance:ISettings',
  "The user's settings: what is shown, and of what the user is notified."
);
