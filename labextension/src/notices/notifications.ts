import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { IAuditApi } from '../server/auditApi';
import { remedyOf } from '../words/denials';
import { figuresOf, type IFigures } from '../words/figures';
import { oneLine, spentWords } from '../words/labels';
import { EXPIRED } from '../words/verdicts';
import type { IAuditRecord } from '../protocol/audit';
import type { IGovernanceState } from '../protocol/state';
import type { GovernanceSettings } from '../state/settings';
import type { IApprovalsInPage } from '../state/waitingApprovals';
import { fileName, quoted } from './names';
import { type INotice, type INotifier, SHOWN, Toasts } from './toasts';
import type { IGovernanceModel } from '../tokens';
import { WaitingNotices } from './waitingNotices';

/**
 * The delay between a change of a notebook and the load of its denials, in milliseconds: one load then covers all
 * changes meanwhile.
 */
const GATHER = 700;
/** How many of the newest denials are loaded with one request. */
const MAX_DENIALS = 20;

/**
 * Notifies the user of denials, of warning marks that spending has passed, and of requests that wait for a decision.
 *
 * It does not notify of what happened before the page was loaded, nor of what the panel shows anyway.
 */
export class GovernanceNotifications implements IDisposable {
  constructor(options: GovernanceNotifications.IOptions) {
    this._model = options.model;
    this._audit = options.audit;
    this._settings = options.settings;
    this._isOnScreen = options.isOnScreen;
    this._toasts = new Toasts(options.notifier);
    this._trans = options.trans;
    this._model.learned.connect(this._onState, this);
    this._waiting = new WaitingNotices({ ...options, toasts: this._toasts });
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._model.learned.disconnect(this._onState, this);
    this._waiting.dispose();
    for (const watch of this._denials.values()) {
      window.clearTimeout(watch.timer);
    }
    this._toasts.dispose();
  }

  /** Dismiss the notifications of requests and warning marks that the panel shows by now. */
  dismissShown(): void {
    this._waiting.refresh();
    for (const [path, mark] of this._marks) {
      if (mark.message !== null && this._isOnScreen('budget', path)) {
        mark.message = null;
      }
    }
    this._showMarks();
  }

  private _onState(_: IGovernanceModel, state: IGovernanceState): void {
    // A notebook that shares another notebook's session is skipped, since the state of that notebook reports the same.
    if (state.shared_with === null) {
      this._watchMarks(state);
      this._watchDenials(state);
    }
  }

  /**
   * Notify of the highest warning mark that a session's spending has passed; dismiss that once spending is below it
   * again.
   */
  private _watchMarks(state: IGovernanceState): void {
    const figures = figuresOf(state, this._model.config?.warn_at ?? []);
    const known = this._marks.get(state.path);
    const isSame = known?.session === state.session_id;
    const reached = figures && state.active ? rankOf(figures) : 0;
    if (!isSame) {
      this._marks.set(state.path, {
        session: state.session_id,
        reached,
        message: null
      });
    } else if (figures && reached > known.reached) {
      known.reached = reached;
      known.message = this._isOnScreen('budget', state.path)
        ? null
        : `${fileName(state.path)}: ${spentWords(figures, this._trans)}`;
      this._lastMark = state.path;
    } else if (reached < known.reached) {
      // The budget was raised, a charge was corrected or the session was closed: the text is no longer true.
      known.reached = reached;
      known.message = null;
    }
    this._showMarks();
  }

  private _showMarks(): void {
    const shown = [...this._marks].filter(
      ([, { message }]) => message !== null
    );
    const last =
      shown.find(([path]) => path === this._lastMark) ?? shown.at(-1);
    const message = last?.[1].message ?? null;
    this._toasts.set(
      'marks',
      message === null || !this._settings.current.notifyOfWarnings
        ? null
        : this._notice('warning', message, 'budget')
    );
  }

  /**
   * Load the newest denials of a notebook, {@link GATHER} after its state has changed. At the notebook's first state,
   * only remember which denial is the newest.
   */
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

  private async _readDenials(path: string, isNew: boolean): Promise<void> {
    const watch = this._denials.get(path);
    if (!watch) {
      return;
    }
    try {
      const { records } = await this._audit.records(
        { path, outcome: 'deny' },
        isNew ? MAX_DENIALS : 1
      );
      const at = records.findIndex(({ record_id: id }) => id === watch.last);
      const news = at < 0 ? records : records.slice(0, at);
      watch.last = records[0]?.record_id ?? null;
      const denied = withoutUsersOwn(news);
      if (
        isNew &&
        denied.length > 0 &&
        !this._isDisposed &&
        this._settings.current.notifyOfDenials &&
        !this._isOnScreen('audit', path)
      ) {
        this._notifyOfDenials(path, denied);
      }
    } catch {
      // The next change of the notebook loads these denials.
    }
  }

  /**
   * Notify of denials. If the notification of earlier denials is still shown, the new one replaces it and counts both.
   */
  private _notifyOfDenials(
    path: string,
    denied: readonly IAuditRecord[]
  ): void {
    const now = Date.now();
    const [newest] = denied;
    if (!newest) {
      return;
    }
    const isMerged = now - this._denied.at < SHOWN;
    const count = denied.length + (isMerged ? this._denied.count : 0);
    this._denied = { at: now, count };
    const remedy = remedyOf(
      newest,
      {
        state: this._model.stateOf(path),
        config: this._model.config,
        mayChange: this._model.mayChange
      },
      this._trans
    );
    const what = this._deniedWords(path, newest, count);
    const budget = remedy?.budget ?? null;
    const notice = this._notice(
      'warning',
      remedy ? `${what} ${remedy.sentence}` : what,
      remedy?.section ?? 'audit',
      budget !== null ? this._trans.__('Raise Budget…') : undefined
    );
    this._toasts.set(
      'denials',
      budget === null ? notice : { ...notice, raise: { path, budget } }
    );
  }

  private _deniedWords(
    path: string,
    newest: IAuditRecord,
    count: number
  ): string {
    const name = fileName(path);
    const tool = quoted(newest.tool ?? newest.event);
    if (count > 1) {
      return this._trans.__(
        '%1: %2 requests denied, the last for %3.',
        name,
        count,
        tool
      );
    }
    return newest.code === EXPIRED
      ? this._trans.__('%1: %2 expired, no decision in time.', name, tool)
      : this._trans.__(
          '%1: %2 denied. %3.',
          name,
          tool,
          oneLine(newest.reasons[0] ?? '').replace(/\.$/, '')
        );
  }

  private _notice(
    kind: INotice['kind'],
    message: string,
    section: string,
    action = this._trans.__('Show')
  ): INotice {
    return { kind, message, section, action, stays: false };
  }

  private readonly _model: IGovernanceModel;
  private readonly _audit: IAuditApi;
  private readonly _settings: GovernanceSettings;
  private readonly _isOnScreen: GovernanceNotifications.IsOnScreen;
  private readonly _toasts: Toasts;
  private readonly _waiting: WaitingNotices;
  private readonly _trans: TranslationBundle;
  /** For each path: its session, the rank of its spending (see {@link rankOf}), and the text shown about that; null for none. */
  private readonly _marks = new Map<
    string,
    { session: string | null; reached: number; message: string | null }
  >();
  /** The path of the notebook whose spending was the last to pass a mark. */
  private _lastMark: string | null = null;
  /** For each path, the id of the newest known denial, and the timer of the next load. */
  private readonly _denials = new Map<
    string,
    { last: string | null; timer: number | undefined }
  >();
  /** When the user was last notified of denials, in milliseconds, and how many denials that notification counts. */
  private _denied = { at: -SHOWN, count: 0 };
  private _isDisposed = false;
}

/** A namespace for the types that belong to `GovernanceNotifications`. */
export namespace GovernanceNotifications {
  /** Returns whether the panel shows a section, given by its id, of the notebook at a path now. */
  export type IsOnScreen = (section: string, path: string) => boolean;

  /** The options of the constructor of `GovernanceNotifications`. */
  export interface IOptions {
    model: IGovernanceModel;
    audit: IAuditApi;
    waiting: Omit<IApprovalsInPage, 'lead' | 'toReview'>;
    settings: GovernanceSettings;
    notifier: INotifier;
    isOnScreen: IsOnScreen;
    trans: TranslationBundle;
  }
}

/** Return the denials without those that were the user's own decisions on approval requests or on calls at a limit. */
function withoutUsersOwn(denied: readonly IAuditRecord[]): IAuditRecord[] {
  let calls = 0;
  for (const { detail, event } of denied) {
    calls += event === 'limit_denied' ? Number(detail.calls ?? 0) : 0;
  }
  return denied.filter(({ code, event }) => {
    if (code === 'BUDGET_EXCEEDED' && calls > 0) {
      calls -= 1;
      return false;
    }
    return event !== 'refuse' && event !== 'limit_denied';
  });
}

/**
 * Return how much of the budget is spent as a rank: the highest mark that spending has passed (such as 0.8), 1 if all
 * is spent, 2 if more than all.
 */
function rankOf(figures: IFigures): number {
  if (figures.spent > figures.budget) {
    return 2;
  }
  return figures.severity === 'full' ? 1 : (figures.passed ?? 0);
}
