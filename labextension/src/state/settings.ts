import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { StatusItemContent } from '../words/labels';

/** The user's choice of what is shown and notified. */
export interface IGovernanceSettings {
  readonly showPanel: boolean;
  readonly showStatusItem: boolean;
  readonly statusItem: StatusItemContent;
  readonly showReceipts: boolean;
  readonly notifyOfDenials: boolean;
  readonly notifyOfWarnings: boolean;
  readonly notifyOfApprovals: boolean;
}

/** The defaults; as in the schema. */
export const DEFAULT_SETTINGS: IGovernanceSettings = {
  showPanel: true,
  showStatusItem: true,
  statusItem: 'level-and-left',
  showReceipts: true,
  notifyOfDenials: true,
  notifyOfWarnings: true,
  notifyOfApprovals: true
};

/** The current settings. */
export class GovernanceSettings {
  get current(): IGovernanceSettings {
    return this._current;
  }

  /** Emitted when the user changed a setting. */
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
  'What the user chose to be shown and notified of.'
);
