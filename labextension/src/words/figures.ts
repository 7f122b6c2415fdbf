/** Calculates a session's figures: how much of its budget is spent, held and left, and how serious that is. */

import { parseUsd, share } from './money';
import type { IGovernanceState } from '../protocol/state';

const ONE = parseUsd('1');

/**
 * How much of the budget is spent: less than every warning mark (`normal`), at least the lowest mark (`notice`), at
 * least all marks (`warning`), or the whole budget (`full`). Held amounts are left out, since they may be released.
 */
export type Severity = 'normal' | 'notice' | 'warning' | 'full';

/** The severities, from the least to the most serious. */
export const SEVERITIES: readonly Severity[] = [
  'normal',
  'notice',
  'warning',
  'full'
];

/** The figures of a budget or ceiling in nano-dollars, and what follows from them. */
export interface IFigures {
  readonly budget: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly remaining: bigint;
  readonly over: bigint;
  /** The shares of the budget that are spent and held, each from 0 to 1, together at most 1. */
  readonly spentShare: number;
  readonly heldShare: number;
  readonly severity: Severity;
  /** The highest warning mark that spending has reached, as a fraction of the budget such as 0.8; null for none. */
  readonly passed: number | null;
  /** The warning marks as fractions of the budget, ascending. */
  readonly marks: readonly number[];
}

/**
 * Return the figures of a notebook's budget; null if no session was ever opened.
 *
 * @param warnAt - The warning marks: fractions of the budget as decimal strings, such as `0.8`.
 */
export function figuresOf(
  state: IGovernanceState,
  warnAt: readonly string[]
): IFigures | null {
  if (state.budget === null || state.spent === null) {
    return null;
  }
  return figuresWithin(
    {
      limit: state.budget,
      spent: state.spent,
      held: state.held ?? '0',
      remaining: state.remaining,
      over: state.over
    },
    warnAt
  );
}

/** What is spent, held and left of a budget or ceiling, as the server sends it: decimal strings in USD. */
export interface IBalance {
  readonly limit: string;
  readonly spent: string;
  readonly held: string;
  readonly remaining: string | null;
  readonly over: string | null;
}

/**
 * Return the figures of a budget or ceiling.
 *
 * @param warnAt - The warning marks: fractions of the limit as decimal strings, such as `0.8`.
 */
export function figuresWithin(
  balance: IBalance,
  warnAt: readonly string[]
): IFigures {
  const budget = parseUsd(balance.limit);
  const spent = parseUsd(balance.spent);
  const held = parseUsd(balance.held);
  const rest = budget - spent - held;
  const spentShare = share(spent, budget);
  const fractions = [...new Set(warnAt.map(parseUsd))]
    .filter(fraction => fraction > 0n && fraction < ONE)
    .sort((a, b) => (a < b ? -1 : 1));
  const passed = fractions.filter(
    fraction => spent * ONE >= fraction * budget
  ).length;
  const marks = fractions.map(fraction => share(fraction, ONE));
  return {
    budget,
    spent,
    held,
    remaining:
      balance.remaining === null
        ? atLeastZero(rest)
        : parseUsd(balance.remaining),
    over: balance.over === null ? atLeastZero(-rest) : parseUsd(balance.over),
    spentShare,
    heldShare: Math.min(share(held, budget), 1 - spentShare),
    severity:
      spent >= budget
        ? 'full'
        : passed === 0
          ? 'normal'
          : passed < fractions.length
            ? 'notice'
            : 'warning',
    passed: passed === 0 ? null : (marks[passed - 1] ?? null),
    marks
  };
}

function atLeastZero(nano: bigint): bigint {
  return nano > 0n ? nano : 0n;
}
