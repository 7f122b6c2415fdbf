import type { IWaitingApi } from '../server/waitingApi';
import type { IReport } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { WaitingList } from './waitingList';

/** The reports of all notebooks that no user has acknowledged. */
export class WaitingReports extends WaitingList<IReport> {
  constructor(options: WaitingReports.IOptions) {
    super({
      model: options.model,
      read: limit => options.api.reports({ limit })
    });
    this._api = options.api;
  }

  /**
   * Acknowledge a report. Call this only from the handler of an event that the browser marks as the user's own
   * (`isTrusted`). Rejects with the server's error if the server refuses.
   */
  async acknowledge(report: IReport, key: string): Promise<void> {
    await this.settle(report.id, () => this._api.acknowledge(report.id, key));
    this.notify();
  }

  private readonly _api: IWaitingApi;
}

/** A namespace for the types that belong to `WaitingReports`. */
export namespace WaitingReports {
  /** The options of the constructor of `WaitingReports`. */
  export interface IOptions {
    api: IWaitingApi;
    model: IGovernanceModel;
  }
}
