import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { IWaiting } from '../protocol/waiting';
import type { GovernanceSettings } from '../state/settings';
import type { IApprovalsInPage } from '../state/waitingApprovals';
import type { IGovernanceModel } from '../tokens';
import { shortUsd } from '../words/money';
import { fileName, quoted } from './names';
import type { Toasts } from './toasts';

/**
 * The time that the card of a new request has to appear on the screen before the user is notified of it, in
 * milliseconds.
 */
const PATIENCE = 500;

/**
 * Shows one notification for the waiting approval requests and one for the calls at a limit, as long as any wait.
 *
 * It leaves out requests whose card was on the screen at least once, in the panel or below their cell; the status item
 * still counts them.
 */
export class WaitingNotices implements IDisposable {
  constructor(options: WaitingNotices.IOptions) {
    this._options = options;
    for (const signal of this._signals()) {
      signal.connect(this.refresh, this);
    }
    this.refresh();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    for (const signal of this._signals()) {
      signal.disconnect(this.refresh, this);
    }
  }

  /** Update both notifications to the requests that still wait and were never on the screen. */
  refresh(): void {
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
              // The panel's section has the same name as this kind of notification.
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

  /** Return the oldest request of the notebook in front, else the oldest of all; null if there is none. */
  private _ownFirst<T extends IWaiting>(entries: readonly T[]): T | null {
    const { path } = this._options.model;
    const own = entries.find(({ notebook }) => notebook === path);
    return own ?? entries[0] ?? null;
  }

  /** Return the requests that were not on the screen until now and are known for at least {@link PATIENCE}. */
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
          this.refresh();
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
  /** For each request, when the page first received it, in milliseconds, and whether it was on the screen since. */
  private readonly _known = new Map<string, { at: number; isSeen: boolean }>();
  private _timer: number | undefined;
  private _isDisposed = false;
}

/** A namespace for the types that belong to `WaitingNotices`. */
export namespace WaitingNotices {
  /** The options of the constructor of `WaitingNotices`. */
  export interface IOptions {
    /** Returns whether the panel shows a section of a notebook now. */
    isOnScreen: (section: string, path: string) => boolean;
    model: IGovernanceModel;
    settings: GovernanceSettings;
    toasts: Toasts;
    trans: TranslationBundle;
    waiting: Omit<IApprovalsInPage, 'lead' | 'toReview'>;
  }
}

/**
 * Return a key that identifies a request. All calls of a session at a limit have the same id, so the key includes the
 * time of the request.
 */
function keyOf({ at, id }: IWaiting): string {
  return `${id} ${at}`;
}
