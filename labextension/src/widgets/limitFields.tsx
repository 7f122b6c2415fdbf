import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IGovernanceModel } from '../tokens';
import { trustLevels } from '../words/labels';
import { parseUsd } from '../words/money';
import { amountFault, AmountInput } from './amountInput';

/**
 * Return a sentence about what is wrong with a typed budget: it is no amount, or above the server's maximum. Return
 * null if it is right.
 */
export function budgetFault(
  text: string,
  config: IGovernanceModel['config'],
  trans: TranslationBundle
): string | null {
  const max = config?.max_budget == null ? null : parseUsd(config.max_budget);
  return amountFault(text, max, trans);
}

/** The fields of a form in which the user chooses the trust level and budget of a new session or key. */
export function LimitFields(props: {
  config: IGovernanceModel['config'];
  level: number;
  onLevel: (level: number) => void;
  budget: string;
  /** What is wrong with the typed budget, in a sentence; null if nothing is. */
  wrong: string | null;
  onBudget: (text: string) => void;
  /** Returns a sentence about what a trust level means; if omitted, what it means for a notebook. */
  meaning?: (level: number) => string;
  /** Whether the field of the trust level gets the focus from commands that lead to the form. */
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
