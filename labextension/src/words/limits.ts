/** Texts about calls that wait at a limit: how much money they need, and what the user can do. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ILimitRequest } from '../protocol/waiting';
import { roundUpToCents, type ISituation } from './denials';
import { isolated, oneLine } from './labels';
import { formatUsd, parseUsd, writeUsd } from './money';

/** The texts about the calls of one session that wait at a limit. */
export interface ILimitWords {
  /** A sentence about how much the first call needs beyond what the limit has left. */
  readonly needs: string;
  /** A sentence about how much all calls together need; null if only one waits. */
  readonly all: string | null;
  /** A sentence about what the user can do besides denying the calls; null if they can raise the budget. */
  readonly advice: string | null;
  /**
   * A budget in USD that is enough for all calls, or, if the server does not allow that, for the first; null if the
   * user cannot raise the budget.
   */
  readonly budget: string | null;
}

/** Return the texts about the calls of a session that wait at a limit. */
export function limitWords(
  request: ILimitRequest,
  { config, mayChange }: Omit<ISituation, 'state'>,
  trans: TranslationBundle
): ILimitWords {
  const { count, limit } = request;
  const needs = formatUsd(parseUsd(request.needs));
  const name = isolated(oneLine(limit.name));
  const all =
    count === 1
      ? null
      : trans.__(
          '%1 calls wait. Together they need %2 more.',
          count,
          formatUsd(parseUsd(request.needs_all))
        );
  if (limit.kind === 'category') {
    return {
      needs: trans.__(
        'Needs %1 more than the budget %2 has left.',
        needs,
        name
      ),
      all,
      advice: trans.__('This budget is set in code, not in the panel.'),
      budget: null
    };
  }
  if (limit.kind !== 'session') {
    return {
      needs: trans.__('Needs %1 more than the limit %2 has left.', needs, name),
      all,
      advice: trans.__('Ask its administrator to raise it.'),
      budget: null
    };
  }
  const most = config?.max_budget ?? null;
  const fits = (amount: bigint): boolean =>
    most === null || amount <= parseUsd(most);
  const first = parseUsd(limit.allowed) + parseUsd(request.needs);
  const whole = parseUsd(limit.allowed) + parseUsd(request.needs_all);
  const words = {
    needs: trans.__('Needs %1 more than the budget has left.', needs),
    all
  };
  if (!fits(first)) {
    return {
      ...words,
      advice: trans.__('The server allows no budget that is large enough.'),
      budget: null
    };
  }
  return mayChange
    ? {
        ...words,
        advice: null,
        budget: writeUsd(roundUpToCents(fits(whole) ? whole : first, most))
      }
    : {
        ...words,
        advice: trans.__('Ask the owner to raise the budget.'),
        budget: null
      };
}
