/** The requests about sessions, their ceilings, the kernels and the list of notebooks. */

import { ApiClient } from './requests';
import { type IGovernanceState, isState } from '../protocol/state';
import {
  type IEnvelope,
  type IKernel,
  isEnvelopes,
  isKernels,
  isNotebookPage
} from '../protocol/session';
import type { IPage } from '../protocol/waiting';

/** The values of a session to change; those that are omitted stay as they are. */
export interface IChange {
  readonly trust_level?: number;
  /** The budget in USD, as decimal text. */
  readonly budget?: string;
}

/**
 * The requests about sessions, their ceilings, the kernels and the list of notebooks.
 *
 * The argument `key` is an idempotency key: a request that is repeated with the same key has no further effect.
 */
export interface ISessionApi {
  /** Change the session of the notebook at a path; if none is open, open one with these values. */
  change(path: string, change: IChange, key: string): Promise<IGovernanceState>;
  /** Close the open session of the notebook at a path. */
  close(path: string, key: string): Promise<IGovernanceState>;
  /** Load the shared ceilings that limit a notebook's session besides its budget, the innermost first. */
  envelopes(path: string): Promise<readonly IEnvelope[]>;
  /** Load the running kernels of the server, and which of them it can govern. */
  kernels(): Promise<readonly IKernel[]>;
  /**
   * Load a page of all notebooks that were ever governed, in the order of their paths. `after` is that of the page
   * before.
   */
  notebooks(after?: string | null): Promise<IPage<IGovernanceState>>;
}

/** Sends the requests of {@link ISessionApi} to the server. */
export class SessionApi extends ApiClient implements ISessionApi {
  change(
    path: string,
    change: IChange,
    key: string
  ): Promise<IGovernanceState> {
    return this.requests.send('PATCH', 'state', isState, {
      parameters: { path },
      body: { ...change },
      key
    });
  }

  close(path: string, key: string): Promise<IGovernanceState> {
    return this.requests.send('POST', 'close', isState, {
      parameters: { path },
      key
    });
  }

  async envelopes(path: string): Promise<readonly IEnvelope[]> {
    const body = await this.requests.get('envelopes', isEnvelopes, { path });
    return body.envelopes;
  }

  async kernels(): Promise<readonly IKernel[]> {
    const body = await this.requests.get('kernels', isKernels);
    return body.kernels;
  }

  async notebooks(after?: string | null): Promise<IPage<IGovernanceState>> {
    const page = await this.requests.get('notebooks', isNotebookPage, {
      after
    });
    return { entries: page.notebooks, after: page.after };
  }
}
