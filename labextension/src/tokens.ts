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

/** The governance state of the server's notebooks, as far as the page has loaded it. It decides nothing. */
export interface IGovernanceModel {
  /** The server-local path of the notebook in front; null if none is in front. */
  readonly path: string | null;

  /** The state of the notebook in front; null if there is none or it is not loaded yet. */
  readonly state: IGovernanceState | null;

  /** The server's configuration; null until it is loaded. */
  readonly config: IGovernanceConfig | null;

  /** How current the state of the notebook in front is. */
  readonly connection: Connection;

  /** Why the last request about the notebook in front failed; null if it did not. */
  readonly failure: GovernanceApiError | null;

  /** When the server last confirmed the state of the notebook in front, in milliseconds; null if it has not yet. */
  readonly seenAt: number | null;

  /** Whether the user may change anything; true until the server denies it. */
  readonly mayChange: boolean;

  /** A counter that rises with each change of any notebook's state: lists loaded before may be out of date then. */
  readonly revision: number;

  /** A counter that rises whenever the notebook in front gets another kernel, or loses its kernel. */
  readonly kernelChanges: number;

  /** Emitted after any of the above, or the state of any notebook, has changed. */
  readonly changed: ISignal<IGovernanceModel, void>;

  /** Emitted with each new or newer state of any notebook. */
  readonly learned: ISignal<IGovernanceModel, IGovernanceState>;

  /** Return the last known state of a notebook; null if none was loaded. */
  stateOf(path: string): IGovernanceState | null;

  /** Store a notebook's state that a response contained; it is ignored if a newer one is known. */
  learn(state: IGovernanceState): void;

  /** Load the state of the notebook in front from the server. Never rejects: see `failure`. */
  refresh(): Promise<void>;
}

/** The model, for other plugins. */
export const IGovernanceModel = new Token<IGovernanceModel>(
  'aumos-governance:IGovernanceModel',
  "The governance state of the server's notebooks, kept current by the server's events."
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
  /** A budget in USD to fill into the budget's field once; it is not set until the user presses the button. */
  readonly proposedBudget?: { readonly budget: string } | null;
}

/** A part of the panel under a title that opens and closes it. */
export interface IPanelSection {
  /** The name of the section in the page, by which commands move the focus to it. */
  readonly id: string;
  /** Sections stand in ascending order of their ranks. */
  readonly rank: number;
  readonly title: (trans: TranslationBundle) => string;
  /** The content; rendered again when the model changes, and when `changed` is emitted. */
  readonly Body: ComponentType<ISectionProps>;
  /** A short text beside the title, visible while the section is closed. */
  readonly Badge?: ComponentType<ISectionProps>;
  /** Whether the section is hidden while the panel shows no notebook; true if omitted. */
  readonly needsNotebook?: boolean;
  /** Whether the section has anything to show; always, if omitted. */
  readonly isShown?: (props: ISectionProps) => boolean;
  /** Whether the section is closed until the user opens it. */
  readonly collapsed?: boolean;
  /** Emitted when the section must be rendered again although the model has not changed. */
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
   * Load sections when the panel is first shown, and show them until the returned object is disposed.
   *
   * @param load - Loads the sections; if it rejects, it is called again when the panel is next rendered.
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
   * This does not set the budget: only the user's click or key on the button does.
   */
  proposeBudget(path: string, budget: string): void;

  /** The section that has the focus; null if none has it. */
  readonly focused: string | null;

  /** Show beside the panel's icon how many requests wait for a decision. */
  setWaiting(count: number): void;

  /**
   * Whether a section is on the screen: the panel is visible, and the section open.
   *
   * @param path - The notebook that the section must show; ignored if the section covers all notebooks.
   */
  isShown(section: string, path: string): boolean;

  /** Emitted when the panel was shown or hidden, or its lazily loaded sections were added. */
  readonly seen: ISignal<IGovernancePanel, void>;
}

/** The panel, for other plugins. */
export const IGovernancePanel = new Token<IGovernancePanel>(
  'aumos-governance:IGovernancePanel',
  "The side panel with a notebook's trust level, budget, spending and waiting requests."
);
