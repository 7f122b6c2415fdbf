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

/**
 * The governance state of the server's notebooks, as far as the page has loaded it. Reading it loads nothing, and it
 * decides nothing: the server does.
 */
export interface IGovernanceModel {
  /** The server-local path of the notebook in front; null if none is in front. */
  readonly path: string | null;

  /** The state of the notebook in front; null if there is none or it is not loaded yet. */
  readonly state: IGovernanceState | null;

  /** The server's configuration, such as the highest trust level; null until it is loaded. */
  readonly config: IGovernanceConfig | null;

  /** Whether the state of the notebook in front is current; see {@link Connection}. */
  readonly connection: Connection;

  /** Why the last request about the notebook in front failed; null if it did not. */
  readonly failure: GovernanceApiError | null;

  /**
   * When the server last confirmed the state of the notebook in front, in milliseconds since 1970; null if it has not
   * yet.
   */
  readonly seenAt: number | null;

  /**
   * Whether the server lets the user change anything, such as budgets; true until the server's response says otherwise.
   */
  readonly mayChange: boolean;

  /**
   * A counter that rises whenever the state of any notebook changes. Lists that were loaded at a lower count may be out
   * of date.
   */
  readonly revision: number;

  /** A counter that rises whenever the notebook in front gets another kernel, or loses its kernel. */
  readonly kernelChanges: number;

  /** Emitted after a property of the model, or the state of any notebook, has changed. */
  readonly changed: ISignal<IGovernanceModel, void>;

  /** Emitted with the state of a notebook that the page did not know yet, or that has changed. */
  readonly learned: ISignal<IGovernanceModel, IGovernanceState>;

  /** Return the last known state of the notebook at a server-local path; null if it was never loaded. */
  stateOf(path: string): IGovernanceState | null;

  /** Store the state of a notebook that was in a response of the server; it is ignored if a newer state is known. */
  learn(state: IGovernanceState): void;

  /** Load the state of the notebook in front from the server. Never rejects: see `failure`. */
  refresh(): Promise<void>;
}

/** The token with which other plugins get the model. */
export const IGovernanceModel = new Token<IGovernanceModel>(
  'aumos-governance:IGovernanceModel',
  "The governance state of the server's notebooks, kept current by the server's events."
);

/** The clients of the REST API that the sections of the panel use. */
export interface IPanelApi {
  readonly session: ISessionApi;
  readonly waiting: IWaitingApi;
  readonly audit: IAuditApi;
}

/** The values that every section of the panel gets to render itself. */
export interface ISectionProps {
  readonly model: IGovernanceModel;
  readonly api: IPanelApi;
  readonly trans: TranslationBundle;
  /**
   * The server-local path of the notebook that the panel shows: the one in front, or one that the user selected; null
   * if there is none.
   */
  readonly path: string | null;
  /** The state of that notebook; null until it is loaded. */
  readonly state: IGovernanceState | null;
  /**
   * A budget in USD with which the budget's field opens. It only takes effect when the user presses the button beside
   * it.
   */
  readonly proposedBudget?: { readonly budget: string } | null;
}

/** One section of the panel: its title, under which it opens and closes, and its content. */
export interface IPanelSection {
  /** The name of the section, such as `budget`. Commands use it to open the section and move the focus to it. */
  readonly id: string;
  /** The position of the section in the panel: sections are in ascending order of their ranks. */
  readonly rank: number;
  readonly title: (trans: TranslationBundle) => string;
  /** The content of the section. It is rendered again when the model changes, and when `changed` is emitted. */
  readonly Body: ComponentType<ISectionProps>;
  /** A short text beside the title, such as the remaining budget, which is also visible while the section is closed. */
  readonly Badge?: ComponentType<ISectionProps>;
  /** Whether the section is about one notebook and therefore hidden while the panel shows none; true if omitted. */
  readonly needsNotebook?: boolean;
  /** Returns whether the section has anything to show; if omitted, it is always shown. */
  readonly isShown?: (props: ISectionProps) => boolean;
  /** Whether the section is closed until the user opens it; false if omitted. */
  readonly collapsed?: boolean;
  /** Emitted when the section must be rendered again although the model has not changed. */
  readonly changed?: ISignal<unknown, unknown>;
}

/** The side panel. Other plugins add sections to it and have it show one. */
export interface IGovernancePanel {
  /** The clients of the REST API that the panel's sections use. */
  readonly api: IPanelApi;
  readonly trans: TranslationBundle;
  /** How the panel writes dates, times and counts, in the user's language. */
  readonly notation: Notation;

  /** Add a section; disposing the returned object removes it. */
  addSection(section: IPanelSection): IDisposable;

  /**
   * Add sections that are loaded when the panel is first shown; disposing the returned object removes them.
   *
   * @param load - Loads the sections. If it rejects, it is called again when the panel is next rendered.
   */
  addSections(load: () => Promise<readonly IPanelSection[]>): IDisposable;

  /**
   * Show the panel, open the section with an id, and move the focus to it; null moves the focus to the panel itself.
   *
   * The focus goes to a button or field of the section, which is never pressed.
   */
  reveal(section: string | null): void;

  /**
   * Show the budget of the notebook at a path in the panel, with an amount in USD in the budget's field.
   *
   * This does not set the budget: only the user can, with a click or a key on the button.
   */
  proposeBudget(path: string, budget: string): void;

  /** The id of the section that has the focus; null if none has it. */
  readonly focused: string | null;

  /** Show a number of requests that wait for the user's decision beside the panel's icon. */
  setWaiting(count: number): void;

  /**
   * Whether the user can see a section: the panel is visible, and the section with this id is open.
   *
   * @param path - The server-local path of the notebook that the section must be about; ignored if the section covers
   *   all notebooks.
   */
  isShown(section: string, path: string): boolean;

  /**
   * Emitted when sections may have become visible or hidden: the panel was shown or hidden, or its lazily loaded
   * sections were added.
   */
  readonly seen: ISignal<IGovernancePanel, void>;
}

/** The token with which other plugins get the panel. */
export const IGovernancePanel = new Token<IGovernancePanel>(
  'aumos-governance:IGovernancePanel',
  "The side panel with a notebook's trust level, budget, spending and waiting requests."
);
