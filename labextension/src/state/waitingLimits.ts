import type { IWaitingApi } from '../server/waitingApi';
import type { ILimitRequest } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { WaitingList } from './waitingList';

/** The calls of all notebooks that wait at a limit on money, one entry for each session. */
export class WaitingLimits extends WaitingList<ILimitRequest> {
  constructor(options: WaitingLimits.IOptions) {
    super({
      model: options.model,
      read: () => options.api.limitRequests()
    });
    this._api = options.api;
  }

  /**
   * Deny all calls of a session that wait at a limit. Call this only from the handler of an event that the browser
   * marks as the user's own (`isTrusted`). Rejects with the server's error if the server refuses.
   */
  async deny(request: ILimitRequest, key: string): Promise<void> {
    try {
      await this._api.denyAtLimit(request.id, key);
    } finally {
      // Other calls of the session may wait by now under the same id, so the list is loaded again instead of removing
      // the entry.
      void this.refresh();
    }
  }

  private readonly _api: IWaitingApi;
}

/** A namespace for the types that belong to `WaitingLimits`. */
export namespace WaitingLimits {
  /** The options of the constructor of `WaitingLimits`. */
  export interface IOptions {
    api: IWaitingApi;
    model: IGovernanceModel;
  }
}
