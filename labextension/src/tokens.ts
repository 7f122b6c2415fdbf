import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { GovernanceApiError } from './api';
import type { IGovernanceConfig, IGovernanceState } from './protocol';

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

  /** Emitted after any of the above, or the state of any notebook, has changed. */
  readonly changed: ISignal<IGovernanceModel, void>;

  /** The last known state of a notebook. */
  stateOf(path: string): IGovernanceState | null;

  /** Read the state of the notebook in front from the server. Never rejects: see `failure`. */
  refresh(): Promise<void>;
}

/** The model, for other plugins. */
export const IGovernanceModel = new Token<IGovernanceModel>(
  'aumos-governance:IGovernanceModel',
  'Trust level and budget of the notebooks, as the governance server tells them.'
);
