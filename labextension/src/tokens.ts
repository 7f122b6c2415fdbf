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
  /** The path of the notebook in front, local to the server; null where none is in front. */
  readonly path: string | null;

  /** The state of the notebook in front; null where there is none or it is not known yet. */
  readonly state: IGovernanceState | null;

  /** What the server's administrator configured; null until it is known. */
  readonly config: IGovernanceConfig | null;

  readonly connection: Connection;

  /** Why the server could not be asked about the notebook in front; null where it could. */
  readonly failure: GovernanceApiError | null;

  /** When the server last confirmed the state of the notebook in front, in milliseconds; null while it has not. */
  readonly seenAt: number | null;

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

/** What the panel's sections ask the server with. */
export interface IPanelApi {
  readonly session: ISessionApi;
  readonly waiting: IWaitingApi;
  readonly audit: IAuditApi;
}

/** What a section is drawn from. */
export interface ISectionProps {
  readonly model: IGovernanceModel;
  readonly api: IPanelApi;
  readonly trans: TranslationBundle;
  /** The notebook that the panel shows: the one in front, or one that is followed; else null. */
  readonly path: string | null;
  /** The state of that notebook; null until it is known. */
  readonly state: IGovernanceState | null;
  /** A budget in USD that the budget's field is to be filled with, once; only the user sets it. */
  readonly proposedBudget?: { readonly budget: string } | null;
}

/** A part of the panel under a title that opens and closes it. */
export interface IPanelSection {
  /** Names the section in the page and for commands that lead to it. */
  readonly id: string;
  /** Sections stand in ascending order of their ranks. */
  readonly rank: number;
  readonly title: (trans: TranslationBundle) => string;
  /** Drawn again when the model changes, and when `changed` is emitted. */
  readonly Body: ComponentType<ISectionProps>;
  /** A few words beside the title, which can be seen while the section is closed. */
  readonly Badge?: ComponentType<ISectionProps>;
  /** Whether it is left out while no notebook is shown; true where it is not given. */
  readonly needsNotebook?: boolean;
  /** Whether there is anything to show; true where it is not given. */
  readonly isShown?: (props: ISectionProps) => boolean;
  /** Whether it is closed at first. */
  readonly collapsed?: boolean;
  /** Emitted when it is to be drawn again though the model has not changed. */
  readonly changed?: ISignal<unknown, unknown>;
}

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

  /**
   * Show the budget of a notebook in the panel with an amount in USD filled in.
   *
   * It sets nothing: only the user's press does.
   */
  proposeBudget(path: string, budget: string): void;

  /** The section that has the focus; null where none has. */
  readonly focused: string | null;

  /** Show beside the panel's icon how many decisions wait. */
  setWaiting(count: number): void;

  /**
   * Whether a user can see a section now: the panel is shown, and the section open.
   *
   * @param path - The notebook that the section is to be of, unless it is of all notebooks.
   */
  isShown(section: string, path: string): boolean;

  /** Emitted when the panel is shown or hidden. */
  readonly seen: ISignal<IGovernancePanel, void>;
}

/** The panel, for other plugins. */
export const IGovernancePanel = new Token<IGovernancePanel>(
  'aumos-governance:IGovernancePanel',
  'The side panel that shows what a notebook may do, what it has cost and what waits.'
);
