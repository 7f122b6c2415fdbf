/** Changes a notebook's session, and reads what its state does not contain. */

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

/** The values that a user sets; omitted ones stay. */
export interface IChange {
  readonly trust_level?: number;
  /** In USD, as decimal text. */
  readonly budget?: string;
}

/**
 * Requests of a user that change a notebook's session.
 *
 * The `key` of a change is its idempotency key: a repeated request has no further effect.
 */
export interface ISessionApi {
  /** Change the session; if none is open, one is opened. */
  change(path: string, change: IChange, key: string): Promise<IGovernanceState>;
  /** Close the open session. */
  close(path: string, key: string): Promise<IGovernanceState>;
  /** The ceilings around the session, inner before outer. */
  envelopes(path: string): Promise<readonly IEnvelope[]>;
  /** The kernels of the server, and which of them it can govern. */
  kernels(): Promise<readonly IKernel[]>;
  /** All notebooks that were ever governed, by path. */
  notebooks(after?: string | null): Promise<IPage<IGovernanceState>>;
}

/** The client. */
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
