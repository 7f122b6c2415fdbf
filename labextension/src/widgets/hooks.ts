/** React hooks that load lists, send a user's decisions, and check the user's permission. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import React from 'react';
import type { IGovernanceState } from '../protocol/state';
import { GovernanceApiError } from '../server/requests';
import type { IGovernanceModel } from '../tokens';
import { failureWords, UNREACHABLE } from '../words/failures';

/** The least time between two loads of one list, in milliseconds. */
const PAUSE = 500;

/** Return a text that changes when a notebook's lists may have changed, or can be loaded again after a failure. */
export function revisionOf(
  model: IGovernanceModel,
  state: IGovernanceState | null
): string {
  return `${state?.seq ?? 0} ${model.connection}`;
}

/** The state of a list that {@link useReading} loads. */
export interface IReading<T> {
  /** Null until the first load succeeded. */
  readonly value: T | null;
  /** Why the last load failed; null if it did not, or the server is unreachable. */
  readonly message: string | null;
  /** Load it again. */
  readonly reload: () => void;
}

/**
 * Load a value now and whenever its revision changes.
 *
 * At most one request is in flight, the next follows half a second later at the earliest, and the latest revision is
 * always loaded.
 *
 * @param scope - Identifies what the value belongs to; a value of another scope is never returned.
 * @param revision - See {@link revisionOf}.
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
            // The panel's heading already reports that the server cannot be reached.
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

/** The state of a request that {@link useAction} sends. */
export interface IAction {
  readonly isPending: boolean;
  /** Why the last request failed; null if it did not. */
  readonly message: string | null;
  /** Call the function with a new idempotency key, unless the previous request is still in flight. */
  readonly run: (action: (key: string) => Promise<unknown>) => void;
  /** Remove the message. */
  readonly clear: () => void;
}

/** Send a request for each press of a button, one at a time, and keep why the last one failed. */
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

/** Return whether the user's buttons are disabled, and why: no permission, or no connection. */
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
