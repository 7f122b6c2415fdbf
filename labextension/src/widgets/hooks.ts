/** Hooks with which the panel's sections load lists and send a user's decisions. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import React from 'react';
import type { IGovernanceState } from '../protocol/state';
import { GovernanceApiError } from '../server/requests';
import type { IGovernanceModel } from '../tokens';
import { failureWords, UNREACHABLE } from '../words/failures';

/** The least time between two loads of one list. */
const PAUSE = 500;

/** Changes when the lists of a notebook may have changed, or can be loaded again. */
export function revisionOf(
  model: IGovernanceModel,
  state: IGovernanceState | null
): string {
  return `${state?.seq ?? 0} ${model.connection}`;
}

/** The result of a load, and its failure. */
export interface IReading<T> {
  /** Null until the first load succeeded. */
  readonly value: T | null;
  /** Why the last load failed, or null. */
  readonly message: string | null;
  readonly reload: () => void;
}

/**
 * Load something now and whenever its revision changes.
 *
 * At most one request is in flight, half a second lies between two, and the last change is always loaded.
 *
 * @param scope - What the result belongs to: a result of another scope is never shown.
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

/** The progress of an action that the user decided. */
export interface IAction {
  readonly isPending: boolean;
  /** Why it failed, or null. */
  readonly message: string | null;
  /** Send it with an idempotency key, unless it is still in flight. */
  readonly run: (action: (key: string) => Promise<unknown>) => void;
  readonly clear: () => void;
}

/** Send an action that the user decided, once for each press. */
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

/** Whether the user can decide now, and if not, why. */
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
