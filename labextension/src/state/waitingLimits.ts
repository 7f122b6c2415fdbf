import type { IWaitingApi } from '../server/waitingApi';
import type { ILimitRequest } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { WaitingList } from './waitingList';

/** The sessions of all notebooks of which calls wait at a limit on money. */
export class WaitingLimits extends WaitingList<ILimitRequest> {
  constructor(options: WaitingLimits.IOptions) {
    super({
      model: options.model,
      read: () => options.api.limitRequests()
    });
    this._api = options.api;
  }

  /** Deny all calls of a session that wait; only on a user's own event. Rejects with the server's refusal. */
  async deny(request: ILimitRequest, key: string): Promise<void> {
    try {
      await this._api.denyAtLimit(request.id, key);
    } finally {
      // The same session may wait again at any time, so it is read and not forgotten.
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
