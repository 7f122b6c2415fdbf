/** The six trust levels in words. */

import type { TranslationBundle } from '@jupyterlab/translation';

/** A trust level, and what a notebook may do at it. */
export interface ITrustLevel {
  readonly level: number;
  /** `L0` to `L5`. */
  readonly short: string;
  readonly label: string;
  /** What it means for calls and acts, in a sentence. */
  readonly sentence: string;
}

/** The levels from the tightest to the loosest. */
export function trustLevels(trans: TranslationBundle): readonly ITrustLevel[] {
  return [
    [
      trans.__('Observer'),
      trans.__('Nothing is called and nothing is done: it can only look.')
    ],
    [
      trans.__('Monitor'),
      trans.__('Models are called within the budget; acts are only suggested.')
    ],
    [
      trans.__('Suggest'),
      trans.__(
        'Models are called within the budget; acts are suggested, with what they would do and cost.'
      )
    ],
    [
      trans.__('Act (Approval Required)'),
      trans.__('Each act waits until a person approves it here.')
    ],
    [
      trans.__('Act (Report After)'),
      trans.__('Acts are done at once, and reported here afterwards.')
    ],
    [
      trans.__('Autonomous'),
      trans.__('Acts are done at once, and only recorded.')
    ]
  ].map(([label = '', sentence = ''], level) => ({
    level,
    short: `L${level}`,
    label,
    sentence
  }));
}
