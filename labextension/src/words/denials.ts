/** Texts about what the user can do after a denial, for notifications. */

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IAuditRecord } from '../protocol/audit';
import type { IGovernanceConfig, IGovernanceState } from '../protocol/state';
import { isolated, oneLine } from './labels';
import { parseUsd, writeUsd } from './money';

/** What the text about a denial depends on: the notebook's state, the configuration, and the user's permission. */
export interface ISituation {
  readonly state: IGovernanceState | null;
  readonly config: IGovernanceConfig | null;
  readonly mayChange: boolean;
}

/** What the user can do after a denial. */
export interface IRemedy {
  readonly sentence: string;
  /** The id of the panel's section in which the user can do it; null if the panel does not help. */
  readonly section: 'budget' | 'trust' | null;
  /** The lowest budget in USD, in whole cents, that is enough for the denied request; null if no budget helps. */
  readonly budget: string | null;
}

/** Return what the user can do after a denial; null if the reason in the audit record already says enough. */
export function remedyOf(
  denied: IAuditRecord,
  situation: ISituation,
  trans: TranslationBundle
): IRemedy | null {
  const { config, mayChange, state } = situation;
  switch (denied.code) {
    case 'BUDGET_EXCEEDED':
      return state === null
        ? null
        : budgetRemedy(denied, state, situation, trans);
    case 'TRUST_LEVEL_INSUFFICIENT':
    case 'SUGGESTED':
      if (
        config !== null &&
        state?.trust_level != null &&
        state.trust_level >= config.max_trust_level
      ) {
        return {
          sentence: trans.__('The server allows no higher trust level.'),
          section: null,
          budget: null
        };
      }
      return mayChange
        ? {
            sentence: trans.__('You can raise the trust level in the panel.'),
            section: 'trust',
            budget: null
          }
        : {
            sentence: trans.__('Ask the owner to raise the trust level.'),
            section: null,
            budget: null
          };
    default:
      return null;
  }
}

function budgetRemedy(
  denied: IAuditRecord,
  state: IGovernanceState,
  { config, mayChange }: ISituation,
  trans: TranslationBundle
): IRemedy {
  const amount = parseUsd(denied.amount);
  const used = parseUsd(state.spent ?? '0') + parseUsd(state.held ?? '0');
  if (amount <= parseUsd(state.remaining ?? '0')) {
    const { category } = denied.detail;
    return {
      sentence:
        typeof category === 'string'
          ? trans.__(
              'The budget %1, which is set in code, or a shared ceiling has less left than the request needs: lower the request.',
              isolated(oneLine(category))
            )
          : trans.__(
              'A shared ceiling has less left than the request needs: ask its administrator to raise it, or lower the request.'
            ),
      section: 'budget',
      budget: null
    };
  }
  const most = config?.max_budget ?? null;
  if (most !== null && used + amount > parseUsd(most)) {
    return {
      sentence: trans.__(
        'The server allows no budget that is large enough: lower the request.'
      ),
      section: null,
      budget: null
    };
  }
  return mayChange
    ? {
        sentence: trans.__('Raise the budget, or lower the request.'),
        section: 'budget',
        budget: writeUsd(roundUpToCents(used + amount, most))
      }
    : {
        sentence: trans.__(
          'Ask the owner to raise the budget, or lower the request.'
        ),
        section: null,
        budget: null
      };
}

/**
 * Round an amount in nano-dollars up to whole cents, but leave it as it is if the rounded amount would exceed `most`,
 * the maximum in USD.
 */
export function roundUpToCents(amount: bigint, most: string | null): bigint {
  const rounded = ((amount + CENT - 1n) / CENT) * CENT;
  return most !== null && rounded > parseUsd(most) ? amount : rounded;
}

const CENT = 10_000_000n;
