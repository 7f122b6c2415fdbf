import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IGovernanceModel } from '../tokens';
import { trustLevels } from '../words/labels';
import { parseUsd } from '../words/money';
import { amountFault, AmountInput } from './amountInput';

/** Return what is wrong with a typed budget: no amount, or above the server's maximum; null if nothing is. */
export function budgetFault(
  text: string,
  config: IGovernanceModel['config'],
  trans: TranslationBundle
): string | null {
  const max = config?.max_budget == null ? null : parseUsd(config.max_budget);
  return amountFault(text, max, trans);
}

/** The form fields for the trust level and budget of a new session or key. */
export function LimitFields(props: {
  config: IGovernanceModel['config'];
  level: number;
  onLevel: (level: number) => void;
  budget: string;
  /** The error in the budget; null if there is none. */
  wrong: string | null;
  onBudget: (text: string) => void;
  /** Returns a sentence about what a level means; the meaning for a notebook if omitted. */
  meaning?: (level: number) => string;
  /** Whether commands that lead to the form move the focus to the field of the trust level. */
  isLead?: boolean;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { config, level, trans } = props;
  const ids = {
    level: React.useId(),
    budget: React.useId(),
    hint: React.useId()
  };
  const levels = trustLevels(trans).slice(
    0,
    (config?.max_trust_level ?? 5) + 1
  );
  return (
    <>
      <label htmlFor={ids.level}>{trans.__('Trust level')}</label>
      <select
        id={ids.level}
        className="aumos-Start-level"
        data-lead={props.isLead ? '' : undefined}
        value={level}
        disabled={config === null}
        onChange={event => props.onLevel(Number(event.currentTarget.value))}
      >
        {levels.map(({ label, level: value, short }) => (
          <option key={value} value={value}>
            {`${short} ${label}`}
          </option>
        ))}
      </select>
      <p className="aumos-Start-hint">
        {props.meaning?.(level) ?? levels[level]?.sentence}
      </p>
      <label htmlFor={ids.budget}>{trans.__('Budget in dollars')}</label>
      <div className="aumos-AmountField-line">
        <span aria-hidden="true">$</span>
        <AmountInput
          id={ids.budget}
          className="aumos-AmountField-input"
          aria-invalid={props.wrong !== null}
          aria-describedby={ids.hint}
          value={props.budget}
          onType={props.onBudget}
        />
      </div>
      <p id={ids.hint} className="aumos-Start-hint" aria-live="polite">
        {props.wrong}
      </p>
    </>
  );
}
