import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { IAuditApi } from '../server/auditApi';
import type { IWaitingApi } from '../server/waitingApi';
import type { IApproval, ILimitRequest, IWaiting } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { EXPIRED } from '../words/verdicts';
import { WaitingList } from './waitingList';

/** How many of the requests that ended last are kept, so that the panel can show how they ended. */
const MAX_DECIDED = 5;

/** An approval request that no longer waits, and how it ended. */
export interface IDecided {
  readonly id: string;
  readonly tool: string;
  readonly notebook: string;
  readonly how: 'approved' | 'denied' | 'expired' | 'withdrawn';
  /** The name of the user who decided the request; null if unknown. */
  readonly by: string | null;
  readonly at: string;
}

/** The approval requests of all notebooks that wait for the user. */
export interface IWaitingApprovals {
  /** The waiting requests, oldest first. */
  readonly entries: readonly IApproval[];
  /** Whether the waiting requests were loaded at least once. */
  readonly isKnown: boolean;
  readonly changed: ISignal<unknown, void>;
}

/** The requests that wait for the user, whether the page shows them, and how to move the focus to one. */
export interface IApprovalsInPage extends IWaitingApprovals {
  /** The calls that wait at a limit, one entry for each session. */
  readonly atLimit: readonly ILimitRequest[];
  /** How many reports the user has to review. */
  readonly toReview: number;
  /** Return whether the card below the cell that the request came from is on the screen. */
  isInView(entry: IWaiting): boolean;
  /** Emitted when `isInView` may have changed. */
  readonly viewed: ISignal<unknown, void>;
  /**
   * Move the focus to the request's card below its cell, or to the panel if there is no card. The request stays
   * undecided.
   */
  lead(entry: IWaiting): Promise<void>;
}

/** The token with which plugins get the requests that wait for the user. */
export const IWaitingApprovals = new Token<IApprovalsInPage>(
  'aumos-governance:IWaitingApprovals',
  "The waiting approval requests of all the server's notebooks."
);

/**
 * The approval requests of all notebooks that wait for the user, and how the latest ones ended that this page had
 * listed.
 */
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

  /** The requests that ended last and how, newest first; at most {@link MAX_DECIDED}. */
  get decided(): readonly IDecided[] {
    return this._decided;
  }

  /**
   * Approve or deny a request. Call this only from the handler of an event that the browser marks as the user's own
   * (`isTrusted`).
   *
   * Rejects with the server's error if the server refuses the decision. `key` is the idempotency key of the decision.
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

  /** Look up in the audit record how a request ended that this page did not decide, and keep the result. */
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
      // The request is no longer listed anyway; the page just cannot show how it ended.
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

/** A namespace for the types that belong to `WaitingApprovals`. */
export namespace WaitingApprovals {
  /** The options of the constructor of `WaitingApprovals`. */
  export interface IOptions {
    api: IWaitingApi;
    audit: IAuditApi;
    model: IGovernanceModel;
  }
}

/** For each event of the audit record that ends an approval request, how the request ended. */
const ENDINGS: Readonly<Partial<Record<string, IDecided['how']>>> = {
  approve: 'approved',
  refuse: 'denied',
  withdraw: 'withdrawn'
};
