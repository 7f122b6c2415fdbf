import type { IWaitingApi } from '../server/waitingApi';
import type { ILimitRequest } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { WaitingList } from './waitingList';

/** The calls that wait at a limit on money, one entry for each session of any notebook. */
export class WaitingLimits extends WaitingList<ILimitRequest> {
  constructor(options: WaitingLimits.IOptions) {
    super({
      model: options.model,
      read: () => options.api.limitRequests()
    });
    this._api = options.api;
  }

  /**
   * Deny all waiting calls of a session, for a trusted event of the user. Rejects with the server's error if it
   * refuses.
   */
  async deny(request: ILimitRequest, key: string): Promise<void> {
    try {
      await this._api.denyAtLimit(request.id, key);
    } finally {
      // The session may have new waiting calls already, so the list is loaded again instead of removing the entry.
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
