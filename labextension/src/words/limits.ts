/** The text about calls that wait at a limit: what they need, and what the user can do about it here. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ILimitRequest } from '../protocol/waiting';
import { enough, type IStanding } from './denials';
import { isolated, oneLine } from './labels';
import { formatUsd, parseUsd, writeUsd } from './money';

/** The text about calls that wait at a limit. */
export interface ILimitWords {
  /** The amount that the first call lacks. */
  readonly needs: string;
  /** The amount that all together lack; null if only one waits. */
  readonly all: string | null;
  /** What the user can do besides denying them; null if they can raise the budget. */
  readonly way: string | null;
  /** The least budget in whole cents with which most calls fit, in USD; null if this user cannot raise it. */
  readonly budget: string | null;
}

/** What waiting calls need, and who can raise the limit. */
export function limitWords(
  request: ILimitRequest,
  { config, mayChange }: Omit<IStanding, 'state'>,
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
      way: trans.__('This budget is set in code, not in the panel.'),
      budget: null
    };
  }
  if (limit.kind !== 'session') {
    return {
      needs: trans.__('Needs %1 more than the limit %2 has left.', needs, name),
      all,
      way: trans.__('Ask its administrator to raise it.'),
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
      way: trans.__('The server allows no budget that is large enough.'),
      budget: null
    };
  }
  return mayChange
    ? {
        ...words,
        way: null,
        budget: writeUsd(enough(fits(whole) ? whole : first, most))
      }
    : {
        ...words,
        way: trans.__('Ask the owner to raise the budget.'),
        budget: null
      };
}
