/**
 * React hooks for the sections of the panel: they load lists, send the user's decisions, and check the user's
 * permission.
 */

import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import React from 'react';
import type { IGovernanceState } from '../protocol/state';
import { GovernanceApiError } from '../server/requests';
import type { IGovernanceModel } from '../tokens';
import { failureWords, UNREACHABLE } from '../words/failures';

/** The least time between two loads of the same list, in milliseconds. */
const PAUSE = 500;

/**
 * Return a text that differs once a notebook's lists may have changed, or once the server is reachable again after a
 * failure.
 */
export function revisionOf(
  model: IGovernanceModel,
  state: IGovernanceState | null
): string {
  return `${state?.seq ?? 0} ${model.connection}`;
}

/** What {@link useReading} returns: a loaded value, and why the last load failed. */
export interface IReading<T> {
  /** The value that was loaded last; null until the first load succeeded. */
  readonly value: T | null;
  /**
   * A sentence about why the last load failed; null if it succeeded. Also null if the server cannot be reached, since
   * the heading of the panel reports that.
   */
  readonly message: string | null;
  /** Load the value again. */
  readonly reload: () => void;
}

/**
 * Load a value when the component appears and whenever `revision` changes.
 *
 * Only one request is in flight at a time, and the next follows after half a second at the earliest; the latest
 * revision is always loaded.
 *
 * @param scope - Names what the value is about, such as a notebook's path. A value that was loaded for another scope is
 *   never returned.
 * @param revision - A text or number that changes when the value may have changed; see {@link revisionOf}.
 */
export function useReading<T>(
  scope: string,
  revision: string | number,
  read: () => Promise<T>
): IReading<T> {
  const [read_, setRead] = React.useState<{
    scope: string;
    value: T | null;
    message: string | null;
  }>({ scope, value: null, message: null });
  const [reloads, reload] = React.useReducer((count: number) => count + 1, 0);
  const latest = React.useRef(read);
  const last = React.useRef({ scope: '', at: 0 });
  const busy = React.useRef<Promise<void>>(Promise.resolve());
  React.useLayoutEffect(() => {
    latest.current = read;
  });
  React.useEffect(() => {
    let wanted = true;
    const since = Date.now() - last.current.at;
    const delay = last.current.scope === scope ? Math.max(0, PAUSE - since) : 0;
    const timer = window.setTimeout(() => {
      busy.current = busy.current.then(async () => {
        if (!wanted) {
          return;
        }
        last.current = { scope, at: Date.now() };
        try {
          const value = await latest.current();
          setRead({ scope, value, message: null });
        } catch (reason) {
          setRead(known => ({
            scope,
            value: known.scope === scope ? known.value : null,
            // The heading of the panel reports that the server cannot be reached.
            message: isOutOfReach(reason) ? null : messageOf(reason)
          }));
        }
      });
    }, delay);
    return () => {
      wanted = false;
      window.clearTimeout(timer);
    };
  }, [scope, revision, reloads]);
  const own = read_.scope === scope;
  return {
    value: own ? read_.value : null,
    message: own ? read_.message : null,
    reload
  };
}

/** What {@link useAction} returns: a function that sends requests, and the state of the last request. */
export interface IAction {
  readonly isPending: boolean;
  /** A sentence about why the last request failed; null if it did not. */
  readonly message: string | null;
  /** Call the given function with a new idempotency key; do nothing while the previous request is in flight. */
  readonly run: (action: (key: string) => Promise<unknown>) => void;
  /** Set `message` to null. */
  readonly clear: () => void;
}

/** Send a request at each press of a button, only one at a time, and keep why the last request failed. */
export function useAction(trans: TranslationBundle): IAction {
  const [isPending, setPending] = React.useState(false);
  const [message, setMessage] = React.useState<string | null>(null);
  const busy = React.useRef(false);
  const run = React.useCallback(
    (action: (key: string) => Promise<unknown>): void => {
      if (busy.current) {
        return;
      }
      busy.current = true;
      setPending(true);
      setMessage(null);
      action(UUID.uuid4())
        .catch((reason: unknown) => setMessage(failureWords(reason, trans)))
        .finally(() => {
          busy.current = false;
          setPending(false);
        });
    },
    [trans]
  );
  const clear = React.useCallback(() => setMessage(null), []);
  return { isPending, message, run, clear };
}

/**
 * Return whether the buttons with which the user changes something are disabled, and why: the user lacks the
 * permission, or the server cannot be reached.
 */
export function usePermission(
  model: IGovernanceModel,
  trans: TranslationBundle
): { isDisabled: boolean; why: string | undefined } {
  if (!model.mayChange) {
    return {
      isDisabled: true,
      why: trans.__('You can view this, but not change it.')
    };
  }
  if (model.connection === 'unreachable') {
    return {
      isDisabled: true,
      why: trans.__("Can't reach the server.")
    };
  }
  return { isDisabled: false, why: undefined };
}

function isOutOfReach(reason: unknown): boolean {
  return reason instanceof GovernanceApiError && reason.code === UNREACHABLE;
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
