import type { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type { ComponentType } from 'react';
import type { IGovernanceConfig, IGovernanceState } from './protocol/state';
import type { IAuditApi } from './server/auditApi';
import type { GovernanceApiError } from './server/requests';
import type { ISessionApi } from './server/sessionApi';
import type { IWaitingApi } from './server/waitingApi';
import type { Connection } from './words/labels';
import type { Notation } from './words/notation';

export type { Connection };

/** What the page knows of the governance of its server's notebooks. It decides nothing. */
export interface IGovernanceModel {
  /** The server-local path of the notebook in front; null if none is in front. */
  readonly path: string | null;

  /** The state of the notebook in front; null if there is none or it is not loaded yet. */
  readonly state: IGovernanceState | null;

  /** The server's configuration; null until it is loaded. */
  readonly config: IGovernanceConfig | null;

  readonly connection: Connection;

  /** Why the last request about the notebook in front failed; null if it did not. */
  readonly failure: GovernanceApiError | null;

  /** When the server last confirmed the state of the notebook in front, in milliseconds; null if it has not yet. */
  readonly seenAt: number | null;

  /** Whether the user may change anything; true until the server denies it. */
  readonly mayChange: boolean;

  /** Counts the changes of any notebook's state: a list may be out of date once it rises. */
  readonly revision: number;

  /** Counts how often the notebook in front got another kernel, or none. */
  readonly kernelChanges: number;

  /** Emitted after any of the above, or the state of any notebook, has changed. */
  readonly changed: ISignal<IGovernanceModel, void>;

  /** Emitted with each newer state of any notebook. */
  readonly learned: ISignal<IGovernanceModel, IGovernanceState>;

  /** The last known state of a notebook. */
  stateOf(path: string): IGovernanceState | null;

  /** Accept a state of a notebook from a response; it is ignored if a newer one is known. */
  learn(state: IGovernanceState): void;

  /** Load the state of the notebook in front from the server. Never rejects: see `failure`. */
  refresh(): Promise<void>;
}

/** The model, for other plugins. */
export const IGovernanceModel = new Token<IGovernanceModel>(
  'aumos-governance:IGovernanceModel',
  'Trust level and budget of the notebooks, kept current by the server.'
);

/** The clients of the REST API that the panel's sections use. */
export interface IPanelApi {
  readonly session: ISessionApi;
  readonly waiting: IWaitingApi;
  readonly audit: IAuditApi;
}

/** The values from which a section is drawn. */
export interface ISectionProps {
  readonly model: IGovernanceModel;
  readonly api: IPanelApi;
  readonly trans: TranslationBundle;
  /** The notebook that the panel shows: the one in front, or one that the user selected; null if neither. */
  readonly path: string | null;
  /** The state of that notebook; null until it is loaded. */
  readonly state: IGovernanceState | null;
  /** A budget in USD to be filled into the budget's field, once; only the user sets it. */
  readonly proposedBudget?: { readonly budget: string } | null;
}

/** A part of the panel under a title that opens and closes it. */
export interface IPanelSection {
  /** Identifies the section in the page and for commands that lead to it. */
  readonly id: string;
  /** Sections stand in ascending order of their ranks. */
  readonly rank: number;
  readonly title: (trans: TranslationBundle) => string;
  /** Rendered again when the model changes, and when `changed` is emitted. */
  readonly Body: ComponentType<ISectionProps>;
  /** A short text beside the title, visible while the section is closed. */
  readonly Badge?: ComponentType<ISectionProps>;
  /** Whether it is hidden while no notebook is shown; true if not given. */
  readonly needsNotebook?: boolean;
  /** Whether there is anything to show; true if not given. */
  readonly isShown?: (props: ISectionProps) => boolean;
  /** Whether it is closed at first. */
  readonly collapsed?: boolean;
  /** Emitted when it is to be rendered again though the model has not changed. */
  readonly changed?: ISignal<unknown, unknown>;
}

/** The side panel, to which other plugins add sections. */
export interface IGovernancePanel {
  /** The clients of the REST API that the panel's sections use. */
  readonly api: IPanelApi;
  readonly trans: TranslationBundle;
  /** How dates and counts are written. */
  readonly notation: Notation;

  /** Show a section until the returned object is disposed. */
  addSection(section: IPanelSection): IDisposable;

  /**
   * Show sections until the returned object is disposed.
   *
   * @param load - Called when the panel is first shown; again with a later drawing if it rejected.
   */
  addSections(load: () => Promise<readonly IPanelSection[]>): IDisposable;

  /**
   * Show the panel with a section open, and move the focus to it; null moves it to the panel itself.
   *
   * The focus goes to a control; the control is never activated.
   */
  reveal(section: string | null): void;

  /**
   * Show the budget of a notebook in the panel with an amount in USD filled in.
   *
   * It sets nothing: only a click or key of the user does.
   */
  proposeBudget(path: string, budget: string): void;

  /** The section that has the focus; null if none has it. */
  readonly focused: string | null;

  /** Show beside the panel's icon how many decisions wait. */
  setWaiting(count: number): void;

  /**
   * Whether a user can see a section now: the panel is visible, and the section open.
   *
   * @param path - The notebook of the section, unless it covers all notebooks.
   */
  isShown(section: string, path: string): boolean;

  /** Emitted when the panel is shown or hidden. */
  readonly seen: ISignal<IGovernancePanel, void>;
}

/** The panel, for other plugins. */
export const IGovernancePanel = new Token<IGovernancePanel>(
  'aumos-governance:IGovernancePanel',
  "The side panel with a notebook's trust level, budget, spending and waiting requests."
);
