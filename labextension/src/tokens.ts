import type { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { GovernanceApiError } from './server/api';
import type { Notation } from './words/notation';
import type { IPanelApi, IPanelSection } from './panel/section';
import type { IGovernanceConfig, IGovernanceState } from './protocol/state';

/**
 * How current the figures are: not yet known; changes arrive as they happen; the server answers but
 * changes do not arrive; the server does not answer.
 */
export type Connection = 'connecting' | 'live' | 'interrupted' | 'unreachable';

/** What the page knows of the governance of its server's notebooks. It decides nothing. */
export interface IGovernanceModel {
  /** The path of the notebook in front, local to the server; null where none is in front. */
  readonly path: string | null;

  /** The state of the notebook in front; null where there is none or it is not known yet. */
  readonly state: IGovernanceState | null;

  /** What the server's administrator configured; null until it is known. */
  readonly config: IGovernanceConfig | null;

  readonly connection: Connection;

  /** Why the server could not be asked about the notebook in front; null where it could. */
  readonly failure: GovernanceApiError | null;

  /** Whether the person may change anything; true until the server says otherwise. */
  readonly mayChange: boolean;

  /** Counts what the page has learnt of any notebook: what is listed may be another once it rises. */
  readonly revision: number;

  /** Counts how often the notebook in front got another kernel, or none. */
  readonly kernelChanges: number;

  /** Emitted after any of the above, or the state of any notebook, has changed. */
  readonly changed: ISignal<IGovernanceModel, void>;

  /** Emitted with each newer state of any notebook. */
  readonly learned: ISignal<IGovernanceModel, IGovernanceState>;

  /** The last known state of a notebook. */
  stateOf(path: string): IGovernanceState | null;

  /** Take in what the server answered of a notebook; older than what is known, it is ignored. */
  learn(state: IGovernanceState): void;

  /** Read the state of the notebook in front from the server. Never rejects: see `failure`. */
  refresh(): Promise<void>;
}

/** The model, for other plugins. */
export const IGovernanceModel = new Token<IGovernanceModel>(
  'aumos-governance:IGovernanceModel',
  'Trust level and budget of the notebooks, as the governance server tells them.'
);

/** The side panel, to which other plugins add sections. */
export interface IGovernancePanel {
  /** What the panel's sections ask the server with. */
  readonly api: IPanelApi;
  readonly trans: TranslationBundle;
  /** How dates and counts are written. */
  readonly notation: Notation;

  /** Show a section until what is given back is disposed. */
  addSection(section: IPanelSection): IDisposable;

  /**
   * Show the panel with a section open, and lead the focus to it; null leads to the panel itself.
   *
   * It leads to a control and never presses one.
   */
  reveal(section: string | null): void;
}

/** The panel, for other plugins. */
export const IGovernancePanel = new Token<IGovernancePanel>(
  'aumos-governance:IGovernancePanel',
  'The side panel that shows what a notebook may do, what it has cost and what waits.'
);
