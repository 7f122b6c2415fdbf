/** How long a notification that closes by itself is shown, in milliseconds. */
export const SHOWN = 10_000;
/** How many notifications are shown at once, since more would cover too much of the page. */
const AT_ONCE = 2;

/** The kinds of notification, the most urgent first. */
const NOTICE_KINDS = ['approvals', 'limits', 'denials', 'marks'] as const;

/** The kind of a notification: approval requests, calls at a limit, denials or passed warning marks. */
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** The content of a notification. */
export interface INotice {
  readonly kind: 'info' | 'warning';
  readonly message: string;
  /** The id of the panel's section that the button of the notification shows. */
  readonly section: string;
  /** The label of the button. */
  readonly action: string;
  /**
   * The path of a notebook and an amount in USD, which the button fills into that notebook's budget field; if omitted,
   * the button only shows `section`.
   */
  readonly raise?: { readonly path: string; readonly budget: string };
  /** Whether the notification stays until it is dismissed; else it closes after {@link SHOWN}. */
  readonly stays: boolean;
}

/** A notification that JupyterLab shows or has shown. */
export interface IShownNotice {
  /** Replace the content of the notification, and show it again if it was closed. */
  update(notice: INotice): void;
  /** Close the notification and remove it from JupyterLab's list. */
  dismiss(): void;
}

/** Shows notifications in JupyterLab. */
export interface INotifier {
  show(notice: INotice): IShownNotice;
}

/**
 * Limits the notifications to one of each kind and to two at the same time; less urgent ones wait until there is room.
 */
export class Toasts {
  constructor(notifier: INotifier) {
    this._notifier = notifier;
  }

  /**
   * Show a notification in place of the earlier one of the same kind, or dismiss that one if `notice` is null. If both
   * are equal, nothing changes.
   */
  set(kind: NoticeKind, notice: INotice | null): void {
    const known = this._entries.get(kind);
    if (notice === null) {
      this._remove(kind);
    } else if (JSON.stringify(known?.notice) !== JSON.stringify(notice)) {
      window.clearTimeout(known?.timer);
      this._entries.set(kind, {
        notice,
        shown: known?.shown ?? null,
        timer: undefined,
        isDue: true
      });
    }
    this._arrange();
  }

  dispose(): void {
    for (const { timer } of this._entries.values()) {
      window.clearTimeout(timer);
    }
    this._entries.clear();
  }

  private _remove(kind: NoticeKind): void {
    const entry = this._entries.get(kind);
    window.clearTimeout(entry?.timer);
    entry?.shown?.dismiss();
    this._entries.delete(kind);
  }

  /** Show pending notifications, the most urgent first, as far as there is room. */
  private _arrange(): void {
    let room = AT_ONCE;
    for (const kind of NOTICE_KINDS) {
      const entry = this._entries.get(kind);
      const isOpen = entry && (entry.isDue || this._isOpen(entry));
      if (!entry || !isOpen) {
        continue;
      }
      if (room === 0) {
        if (this._isOpen(entry)) {
          entry.shown?.dismiss();
          entry.shown = null;
          window.clearTimeout(entry.timer);
          entry.timer = undefined;
          entry.isDue = true;
        }
        continue;
      }
      room -= 1;
      if (entry.isDue) {
        this._show(entry);
      }
    }
  }

  private _show(entry: IEntry): void {
    entry.isDue = false;
    if (entry.shown) {
      entry.shown.update(entry.notice);
    } else {
      entry.shown = this._notifier.show(entry.notice);
    }
    if (!entry.notice.stays) {
      entry.timer = window.setTimeout(() => {
        entry.timer = undefined;
        this._arrange();
      }, SHOWN);
    }
  }

  /** Return whether a notification is on the screen. After it has closed by itself, it is only in JupyterLab's list. */
  private _isOpen(entry: IEntry): boolean {
    return (
      entry.shown !== null && (entry.notice.stays || entry.timer !== undefined)
    );
  }

  private readonly _notifier: INotifier;
  private readonly _entries = new Map<NoticeKind, IEntry>();
}

interface IEntry {
  readonly notice: INotice;
  shown: IShownNotice | null;
  timer: number | undefined;
  /** Whether the notification waits to be shown until there is room. */
  isDue: boolean;
}
