import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { IWaiting } from '../protocol/waiting';
import type { GovernanceSettings } from '../state/settings';
import type { IApprovalsInPage } from '../state/waitingApprovals';
import type { IGovernanceModel } from '../tokens';
import { shortUsd } from '../words/money';
import { fileName, quoted } from './names';
import type { Toasts } from './toasts';

/** How long a new card may take to appear before a notification is shown instead, in milliseconds. */
const PATIENCE = 500;

/**
 * Notifies of what waits for the user: approval requests, and calls at a limit.
 *
 * There is one notification of each kind, until nothing waits. Requests that are or were on the screen, in the panel
 * or under their cell, are not notified: the status item goes on counting them.
 */
export class WaitingNotices implements IDisposable {
  constructor(options: WaitingNotices.IOptions) {
    this._options = options;
    for (const signal of this._signals()) {
      signal.connect(this.look, this);
    }
    this.look();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    for (const signal of this._signals()) {
      signal.disconnect(this.look, this);
    }
  }

  /** Notify of waiting requests that were not seen, and dismiss the notification of those now on the screen. */
  look(): void {
    const { settings, toasts, trans, waiting } = this._options;
    if (!waiting.isKnown) {
      return;
    }
    const isWanted = settings.current.notifyOfApprovals;
    const approvals = this._unseen('approvals', waiting.entries);
    const limits = this._unseen('limits', waiting.atLimit);
    this._forget([...waiting.entries, ...waiting.atLimit]);
    const words = {
      approvals: this._approvalWords(approvals),
      limits: this._limitWords(limits)
    };
    for (const kind of ['approvals', 'limits'] as const) {
      const message = words[kind];
      toasts.set(
        kind,
        message === null || !isWanted
          ? null
          : {
              action: trans.__('Show'),
              kind: 'info',
              message,
              // The panel's section has the same name as the kind.
              section: kind,
              stays: true
            }
      );
    }
  }

  private _approvalWords(
    approvals: IApprovalsInPage['entries']
  ): string | null {
    const { trans } = this._options;
    const own = this._ownFirst(approvals);
    if (own === null) {
      return null;
    }
    const name = fileName(own.notebook);
    const tool = quoted(own.tool);
    return approvals.length === 1
      ? trans.__(
          '%1: %2 waits for your approval (%3).',
          name,
          tool,
          shortUsd(own.amount)
        )
      : trans.__(
          '%1 actions wait for your approval, among them %2 in %3.',
          approvals.length,
          tool,
          name
        );
  }

  private _limitWords(limits: IApprovalsInPage['atLimit']): string | null {
    const { trans } = this._options;
    const own = this._ownFirst(limits);
    if (own === null) {
      return null;
    }
    const name = fileName(own.notebook);
    const tool = quoted(own.tool);
    const calls = limits.reduce((sum, { count }) => sum + count, 0);
    return calls === 1
      ? trans.__(
          '%1: %2 waits at a limit and needs %3 more.',
          name,
          tool,
          shortUsd(own.needs)
        )
      : trans.__(
          '%1 calls wait at a limit, among them %2 in %3.',
          calls,
          tool,
          name
        );
  }

  /** The first of the notebook in front, else the oldest; null where there is none. */
  private _ownFirst<T extends IWaiting>(entries: readonly T[]): T | null {
    const { path } = this._options.model;
    const own = entries.find(({ notebook }) => notebook === path);
    return own ?? entries[0] ?? null;
  }

  /** Requests that were not on the screen, although their card has had time to appear. */
  private _unseen<T extends IWaiting>(
    section: string,
    entries: readonly T[]
  ): T[] {
    const { isOnScreen, waiting } = this._options;
    return entries.filter(entry => {
      const key = keyOf(entry);
      const known = this._known.get(key) ?? { at: Date.now(), isSeen: false };
      known.isSeen ||=
        isOnScreen(section, entry.notebook) || waiting.isInView(entry);
      this._known.set(key, known);
      if (known.isSeen) {
        return false;
      }
      const age = Date.now() - known.at;
      if (age < PATIENCE) {
        this._timer ??= window.setTimeout(() => {
          this._timer = undefined;
          this.look();
        }, PATIENCE - age);
      }
      return age >= PATIENCE;
    });
  }

  private _forget(entries: readonly IWaiting[]): void {
    const keys = new Set(entries.map(keyOf));
    for (const key of this._known.keys()) {
      if (!keys.has(key)) {
        this._known.delete(key);
      }
    }
  }

  private _signals(): readonly {
    connect: (slot: () => void, self: unknown) => unknown;
    disconnect: (slot: () => void, self: unknown) => unknown;
  }[] {
    const { model, waiting } = this._options;
    return [model.changed, waiting.changed, waiting.viewed];
  }

  private readonly _options: WaitingNotices.IOptions;
  /** Since when each request has waited, as far as the page knows, and whether it was on the screen. */
  private readonly _known = new Map<string, { at: number; isSeen: boolean }>();
  private _timer: number | undefined;
  private _isDisposed = false;
}

/** A namespace for `WaitingNotices` statics. */
export namespace WaitingNotices {
  /** The instantiation options. */
  export interface IOptions {
    /** Whether the panel currently shows a section of a notebook. */
    isOnScreen: (section: string, path: string) => boolean;
    model: IGovernanceModel;
    settings: GovernanceSettings;
    toasts: Toasts;
    trans: TranslationBundle;
    waiting: Omit<IApprovalsInPage, 'lead' | 'toReview'>;
  }
}

/** The waiting calls of a session share one id, so the start time separates two waits. */
function keyOf({ at, id }: IWaiting): string {
  return `${id} ${at}`;
}
