import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { IAuditApi } from '../server/auditApi';
import type { IWaitingApi } from '../server/waitingApi';
import type { IApproval, ILimitRequest, IWaiting } from '../protocol/waiting';
import type { IGovernanceModel } from '../tokens';
import { EXPIRED } from '../words/verdicts';
import { WaitingList } from './waitingList';

/** How many answers are remembered to be shown. */
const MAX_DECIDED = 5;

/** How an approval ended. */
export interface IDecided {
  readonly id: string;
  readonly tool: string;
  readonly notebook: string;
  readonly how: 'approved' | 'denied' | 'expired' | 'withdrawn';
  /** Who decided, as the server knows them; null where that is not known. */
  readonly by: string | null;
  readonly at: string;
}

/** The approvals that wait on all notebooks, for other plugins: to show them and lead to them. */
export interface IWaitingApprovals {
  /** Oldest first. */
  readonly entries: readonly IApproval[];
  /** Whether the server was asked with success at least once. */
  readonly isKnown: boolean;
  readonly changed: ISignal<unknown, void>;
}

/** The approvals that wait, what waits at a limit, and the way to where the page shows them. */
export interface IApprovalsInPage extends IWaitingApprovals {
  /** The sessions of which calls wait at a limit. */
  readonly atLimit: readonly ILimitRequest[];
  /** How many reports of what was done are to be reviewed. */
  readonly toReview: number;
  /** Whether the card under the cell that waits is on the screen. */
  isInView(entry: IWaiting): boolean;
  /** Emitted when `isInView` may be another. */
  readonly viewed: ISignal<unknown, void>;
  /** Lead to the card under the cell that waits; where it has none, to the panel. It decides nothing. */
  lead(entry: IWaiting): Promise<void>;
}

/** What waits for a person's answer. */
export const IWaitingApprovals = new Token<IApprovalsInPage>(
  'aumos-governance:IWaitingApprovals',
  'The approvals that wait on all notebooks of the server.'
);

/** The approvals that wait on all notebooks, and how those ended that waited while the page was open. */
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

  /** How some ended lately, newest first. */
  get decided(): readonly IDecided[] {
    return this._decided;
  }

  /**
   * Answer an approval; only on a person's own event.
   *
   * Rejects with the server's refusal.
   */
  async decide(
    approval: IApproval,
    decision: 'approve' | 'deny',
    key: string
  ): Promise<void> {
    const answer = await this.settle(approval.id, () =>
      this._api.decide(approval, decision, key)
    );
    this._remember(approval, {
      how: decision === 'approve' ? 'approved' : 'denied',
      by: answer.decided_by,
      at: answer.decided_at ?? new Date().toISOString()
    });
  }

  protected override onGone(gone: readonly IApproval[]): void {
    gone.forEach(approval => void this._findOut(approval));
  }

  /** Learn from the audit record how one ended. */
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
      // It is gone all the same, and the record can be looked at when the server answers.
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
    this.tell();
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

/** The events of the audit record that end an approval. */
const ENDINGS: Readonly<Partial<Record<string, IDecided['how']>>> = {
  approve: 'approved',
  refuse: 'denied',
  withdraw: 'withdrawn'
};
