import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { BudgetBar } from '../../widgets/budgetBar';
import { figuresWithin } from '../../words/figures';
import { isolated, oneLine } from '../../words/labels';
import { shortUsd, parseUsd } from '../../words/money';
import type { IEnvelope } from '../../protocol/session';
import { revisionOf, useReading } from '../../widgets/hooks';
import type { ISectionProps } from '../../tokens';
import { ErrorLine, OneLine } from '../../widgets/words';

/**
 * The shared ceilings that limit the session besides its own budget, the innermost first; nothing if there are none.
 */
export function Envelopes(
  props: ISectionProps & { path: string; remaining: bigint }
): React.JSX.Element | null {
  const { api, model, state, path, trans, remaining } = props;
  const { value, message } = useReading(path, revisionOf(model, state), () =>
    api.session.envelopes(path)
  );
  if (!value?.length) {
    return <ErrorLine message={message} />;
  }
  const tightest = value.reduce((a, b) => (left(b) < left(a) ? b : a));
  const marks = model.config?.warn_at ?? [];
  return (
    <div className="aumos-Envelopes">
      <h4 className="aumos-Subheading">{trans.__('Ceilings')}</h4>
      {left(tightest) < remaining && (
        <p>
          {trans.__(
            'Only %1 can be spent: the ceiling %2 has no more left.',
            shortUsd(left(tightest)),
            isolated(oneLine(tightest.name))
          )}
        </p>
      )}
      <ul className="aumos-Envelopes-list">
        {value.map(envelope => (
          <li key={`${envelope.kind} ${envelope.name}`}>
            <div className="aumos-Envelopes-line">
              <OneLine text={envelope.name} />
              <span className="aumos-Envelopes-left">
                {trans.__(
                  '%1 of %2 left',
                  shortUsd(envelope.remaining),
                  shortUsd(envelope.limit)
                )}
              </span>
            </div>
            <BudgetBar figures={figuresWithin(envelope, marks)} />
            <span className="aumos-Envelopes-scope">
              {scope(envelope, trans)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function left(envelope: IEnvelope): bigint {
  return parseUsd(envelope.remaining);
}

/** Return the label of whom a ceiling applies to and for how long, such as "this owner, each month". */
function scope(envelope: IEnvelope, trans: TranslationBundle): string {
  const kinds = {
    notebook: trans.__('this notebook'),
    owner: trans.__('this owner'),
    server: trans.__('this server'),
    team: trans.__('team')
  };
  const periods = {
    daily: trans.__('each day'),
    weekly: trans.__('each week'),
    monthly: trans.__('each month'),
    yearly: trans.__('each year'),
    lifetime: trans.__('in total')
  };
  return `${kinds[envelope.kind]}, ${periods[envelope.period]}`;
}
