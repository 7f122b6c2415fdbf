import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { StatusItemContent } from '../words/labels';

/** What the person chose to see and to be told. */
export interface IGovernanceSettings {
  readonly showPanel: boolean;
  readonly showStatusItem: boolean;
  readonly statusItem: StatusItemContent;
  readonly showReceipts: boolean;
  readonly notifyOfDenials: boolean;
  readonly notifyOfWarnings: boolean;
  readonly notifyOfApprovals: boolean;
}

/** What holds until the person chooses otherwise; as in the schema. */
export const DEFAULT_SETTINGS: IGovernanceSettings = {
  showPanel: true,
  showStatusItem: true,
  statusItem: 'level-and-left',
  showReceipts: true,
  notifyOfDenials: true,
  notifyOfWarnings: true,
  notifyOfApprovals: true
};

/** The settings as they stand. */
export class GovernanceSettings {
  get current(): IGovernanceSettings {
    return this._current;
  }

  /** Emitted when the person chose otherwise. */
  get changed(): ISignal<this, IGovernanceSettings> {
    return this._changed;
  }

  /** Take in what the settings editor validated against the schema. */
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
  'What the person chose to see of governance, and to be told.'
);
