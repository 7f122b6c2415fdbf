import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import type { ComponentType } from 'react';
import type { IAuditApi } from '../server/auditApi';
import type { ISessionApi } from '../server/sessionApi';
import type { IWaitingApi } from '../server/waitingApi';
import type { IGovernanceState } from '../protocol/state';
import type { IGovernanceModel } from '../tokens';

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
