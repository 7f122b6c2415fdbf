/** Changes notebooks' sessions, and loads their ceilings, the kernels and the list of notebooks. */

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

/** The new values of a session; omitted ones stay as they are. */
export interface IChange {
  readonly trust_level?: number;
  /** In USD, as decimal text. */
  readonly budget?: string;
}

/**
 * The requests about sessions, kernels and the list of notebooks.
 *
 * The `key` of a change is its idempotency key: a repeated request has no further effect.
 */
export interface ISessionApi {
  /** Change a notebook's session, or open one if none is open. */
  change(path: string, change: IChange, key: string): Promise<IGovernanceState>;
  /** Close a notebook's open session. */
  close(path: string, key: string): Promise<IGovernanceState>;
  /** Load the ceilings that also limit a notebook's session, the innermost first. */
  envelopes(path: string): Promise<readonly IEnvelope[]>;
  /** Load the server's kernels, and which of them it can govern. */
  kernels(): Promise<readonly IKernel[]>;
  /** Load a page of all notebooks that were ever governed, ordered by path. */
  notebooks(after?: string | null): Promise<IPage<IGovernanceState>>;
}

/** The client of these endpoints. */
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
