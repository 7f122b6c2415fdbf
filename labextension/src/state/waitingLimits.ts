import type { IWaitingApi } from '../server/waitingApi';
import type { ILimitRequest } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { WaitingList } from './waitingList';

/** The sessions of all notebooks with calls that wait at a limit on money. */
export class WaitingLimits extends WaitingList<ILimitRequest> {
  constructor(options: WaitingLimits.IOptions) {
    super({
      model: options.model,
      read: () => options.api.limitRequests()
    });
    this._api = options.api;
  }

  /** Deny all waiting calls of a session; only from a trusted event of the user. Rejects with the server's refusal. */
  async deny(request: ILimitRequest, key: string): Promise<void> {
    try {
      await this._api.denyAtLimit(request.id, key);
    } finally {
      // More calls of the same session may wait at any time, so it is loaded again rather than removed.
      void this.refresh();
    }
  }

  private readonly _api: IWaitingApi;
}

/** A namespace for `WaitingLimits` statics. */
export namespace WaitingLimits {
  /** The instantiation options. */
  export interface IOptions {
    api: IWaitingApi;
    model: IGovernanceModel;
  }
}
