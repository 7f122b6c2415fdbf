import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { IAuditApi } from '../server/auditApi';
import type { IWaitingApi } from '../server/waitingApi';
import type { IApproval, ILimitRequest, IWaiting } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { EXPIRED } from '../words/verdicts';
import { WaitingList } from './waitingList';

/** How many of the latest ended approval requests are kept, so that the panel can show how they ended. */
const MAX_DECIDED = 5;

/** How an approval request ended. */
export interface IDecided {
  readonly id: string;
  readonly tool: string;
  readonly notebook: string;
  readonly how: 'approved' | 'denied' | 'expired' | 'withdrawn';
  /** The name of the user who decided; null if unknown. */
  readonly by: string | null;
  readonly at: string;
}

/** The waiting approval requests of all notebooks. */
export interface IWaitingApprovals {
  /** Oldest first. */
  readonly entries: readonly IApproval[];
  /** Whether they were loaded at least once. */
  readonly isKnown: boolean;
  readonly changed: ISignal<unknown, void>;
}

/** What waits for the user, whether the page shows it, and how to move the focus to it. */
export interface IApprovalsInPage extends IWaitingApprovals {
  /** The sessions with calls that wait at a limit. */
  readonly atLimit: readonly ILimitRequest[];
  /** How many reports are to be reviewed. */
  readonly toReview: number;
  /** Return whether the card under the waiting cell is on the screen. */
  isInView(entry: IWaiting): boolean;
  /** Emitted when `isInView` may have changed. */
  readonly viewed: ISignal<unknown, void>;
  /** Move the focus to the card under the waiting cell, or, if there is no card, to the panel. It decides nothing. */
  lead(entry: IWaiting): Promise<void>;
}

/** The waiting approval requests, for other plugins. */
export const IWaitingApprovals = new Token<IApprovalsInPage>(
  'aumos-governance:IWaitingApprovals',
  "The waiting approval requests of all the server's notebooks."
);

/** The waiting approval requests of all notebooks, and how the latest requests seen in this page ended. */
export class WaitingApprovals
  extends WaitingList<IApproval>
  implements IWaitingApprovals
{
  constructor(options: WaitingApprovals.IOptions) {
    super({
      model: options.model,
      read: limit => options.api.approvals({ limit })
    });
    this._api = options.api;
    this._audit = options.audit;
  }

  /** How the latest requests ended, newest first. */
  get decided(): readonly IDecided[] {
    return this._decided;
  }

  /**
   * Approve or deny a request; to be called only for a trusted event of the user.
   *
   * Rejects with the server's error if it refuses.
   */
  async decide(
    approval: IApproval,
    decision: 'approve' | 'deny',
    key: string
  ): Promise<void> {
    const response = await this.settle(approval.id, () =>
      this._api.decide(approval, decision, key)
    );
    this._remember(approval, {
      how: decision === 'approve' ? 'approved' : 'denied',
      by: response.decided_by,
      at: response.decided_at ?? new Date().toISOString()
    });
  }

  protected override onGone(gone: readonly IApproval[]): void {
    gone.forEach(approval => void this._findOut(approval));
  }

  /** Find out from the audit record how a request ended, and keep that. */
  private async _findOut(approval: IApproval): Promise<void> {
    try {
      const { records } = await this._audit.records(
        { text: approval.id, since: approval.at },
        10
      );
      for (const record of records) {
        const how =
          record.event === 'withdraw' && record.code === EXPIRED
            ? 'expired'
            : ENDINGS[record.event];
        if (how && record.detail.approval === approval.id) {
          this._remember(approval, { how, by: record.actor, at: record.at });
          return;
        }
      }
    } catch {
      // The request no longer waits in any case; how it ended stays unknown to this page.
    }
  }

  private _remember(
    { id, tool, notebook }: IApproval,
    end: Pick<IDecided, 'how' | 'by' | 'at'>
  ): void {
    const others = this._decided.filter(decided => decided.id !== id);
    this._decided = [{ id, tool, notebook, ...end }, ...others].slice(
      0,
      MAX_DECIDED
    );
    this.notify();
  }

  private readonly _api: IWaitingApi;
  private readonly _audit: IAuditApi;
  private _decided: readonly IDecided[] = [];
}

/** A namespace for `WaitingApprovals` statics. */
export namespace WaitingApprovals {
  /** The instantiation options. */
  export interface IOptions {
    api: IWaitingApi;
    audit: IAuditApi;
    model: IGovernanceModel;
  }
}

/** How an approval request ended, by the event of the audit record that ended it. */
const ENDINGS: Readonly<Partial<Record<string, IDecided['how']>>> = {
  approve: 'approved',
  refuse: 'denied',
  withdraw: 'withdrawn'
};
