import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { PathExt } from '@jupyterlab/coreutils';
import type { IAuditApi } from './server/auditApi';
import { figuresOf } from './words/figures';
import { oneLine, severityWords } from './words/labels';
import { formatUsd } from './words/money';
import type { IGovernanceState } from './protocol/state';
import type { IApproval } from './protocol/waiting';
import type { GovernanceSettings } from './state/settings';
import type { IGovernanceModel } from './tokens';
import type { IWaitingApprovals } from './state/waitingApprovals';

/** How long changes of a notebook are left to gather before its denials are read, in milliseconds. */
const GATHER = 700;
/** The most denials that are read at once. */
const MOST = 20;

/** What a person is told, and by what. */
export interface INotice {
  readonly kind: 'info' | 'warning';
  readonly message: string;
  /** The section of the panel that it leads to. */
  readonly section: string;
  /** Whether it stays until it is dismissed. */
  readonly stays: boolean;
}

/** Shows what a person is told, in whatever way the application has for it. */
export interface INotifier {
  /** Show a notice; what is given back takes it away. */
  tell(notice: INotice): () => void;
}

/**
 * Tells the person of what they would want to know at once: a denial, a warning mark that is passed,
 * an approval that waits.
 *
 * What was so already when the page learnt of it is no news.
 */
export class GovernanceNotifications implements IDisposable {
  constructor(options: GovernanceNotifications.IOptions) {
    this._model = options.model;
    this._audit = options.audit;
    this._approvals = options.approvals;
    this._settings = options.settings;
    this._notifier = options.notifier;
    this._trans = options.trans;
    this._model.learned.connect(this._onState, this);
    this._approvals.changed.connect(this._onApprovals, this);
    this._onApprovals();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._model.learned.disconnect(this._onState, this);
    this._approvals.changed.disconnect(this._onApprovals, this);
    for (const watch of this._denials.values()) {
      window.clearTimeout(watch.timer);
    }
  }

  private _onState(_: IGovernanceModel, state: IGovernanceState): void {
    // One that shares another's session tells nothing of its own.
    if (state.shared_with === null) {
      this._watchMarks(state);
      this._watchDenials(state);
    }
  }

  /** Tell once of each warning mark that a session passes. */
  private _watchMarks(state: IGovernanceState): void {
    const figures = figuresOf(state, this._model.config?.warn_at ?? []);
    if (!state.active || state.session_id === null || !figures) {
      return;
    }
    const passed = figures.over > 0n ? 2 : (figures.passed ?? 0);
    const reached = figures.severity === 'full' ? Math.max(1, passed) : passed;
    const known = this._marks.get(state.session_id);
    this._marks.set(state.session_id, Math.max(known ?? 0, reached));
    if (
      known !== undefined &&
      reached > known &&
      this._settings.current.notifyOfWarnings
    ) {
      this._notifier.tell({
        kind: 'warning',
        message: `${nameOf(state.path)}: ${severityWords(figures, this._trans)}`,
        section: 'budget',
        stays: false
      });
    }
  }

  /** Read what was denied, once what happens to the notebook has come to a rest. */
  private _watchDenials(state: IGovernanceState): void {
    if (!state.active) {
      return;
    }
    const watch = this._denials.get(state.path);
    if (watch === undefined) {
      this._denials.set(state.path, { last: null, timer: undefined });
      void this._readDenials(state.path, false);
    } else {
      watch.timer ??= window.setTimeout(() => {
        watch.timer = undefined;
        void this._readDenials(state.path, true);
      }, GATHER);
    }
  }

  private async _readDenials(path: string, isNews: boolean): Promise<void> {
    const watch = this._denials.get(path);
    if (!watch) {
      return;
    }
    try {
      const { records } = await this._audit.records(
        { path, outcome: 'deny' },
        isNews ? MOST : 1
      );
      const at = records.findIndex(one => one.record_id === watch.last);
      const news = at < 0 ? records : records.slice(0, at);
      const [newest] = news;
      watch.last = records[0]?.record_id ?? null;
      if (
        !isNews ||
        !newest ||
        this._isDisposed ||
        !this._settings.current.notifyOfDenials
      ) {
        return;
      }
      const reason = oneLine(newest.reasons[0] ?? '');
      this._notifier.tell({
        kind: 'warning',
        message:
          news.length === 1
            ? this._trans.__(
                '%1: %2 was denied. %3',
                nameOf(path),
                quoted(newest.tool ?? newest.event),
                reason
              )
            : this._trans.__(
                '%1: %2 times something was denied, lately %3. %4',
                nameOf(path),
                news.length,
                quoted(newest.tool ?? newest.event),
                reason
              ),
        section: 'audit',
        stays: false
      });
    } catch {
      // What could not be read is read with the next change.
    }
  }

  /** Tell of each approval that begins to wait, until it is answered. */
  private _onApprovals(): void {
    if (!this._approvals.isKnown) {
      return;
    }
    const waiting = new Set(this._approvals.entries.map(({ id }) => id));
    for (const [id, dismiss] of this._told) {
      if (!waiting.has(id)) {
        dismiss();
        this._told.delete(id);
      }
    }
    for (const approval of this._approvals.entries) {
      if (!this._told.has(approval.id)) {
        this._told.set(approval.id, this._tellOf(approval));
      }
    }
  }

  private _tellOf(approval: IApproval): () => void {
    if (!this._settings.current.notifyOfApprovals) {
      return () => undefined;
    }
    return this._notifier.tell({
      kind: 'info',
      message: this._trans.__(
        '%1: %2 waits for your approval (%3).',
        nameOf(approval.notebook),
        quoted(approval.tool),
        formatUsd(approval.amount)
      ),
      section: 'approvals',
      stays: true
    });
  }

  private readonly _model: IGovernanceModel;
  private readonly _audit: IAuditApi;
  private readonly _approvals: IWaitingApprovals;
  private readonly _settings: GovernanceSettings;
  private readonly _notifier: INotifier;
  private readonly _trans: TranslationBundle;
  /** The share of the budget that each session was known to have passed. */
  private readonly _marks = new Map<string, number>();
  /** The newest denial known of each notebook. */
  private readonly _denials = new Map<
    string,
    { last: string | null; timer: number | undefined }
  >();
  private readonly _told = new Map<string, () => void>();
  private _isDisposed = false;
}

/** A namespace for `GovernanceNotifications` statics. */
export namespace GovernanceNotifications {
  /** The instantiation options. */
  export interface IOptions {
    model: IGovernanceModel;
    audit: IAuditApi;
    approvals: IWaitingApprovals;
    settings: GovernanceSettings;
    notifier: INotifier;
    trans: TranslationBundle;
  }
}

function nameOf(path: string): string {
  return quoted(PathExt.basename(path));
}

/** Text whose length and writing direction disturb nothing around it. */
function quoted(text: string): string {
  const line = oneLine(text);
  return `\u2068${line.length > 60 ? `${line.slice(0, 59)}…` : line}\u2069`;
}
