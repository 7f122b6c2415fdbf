import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { oneLine } from '../../words/labels';
import { formatUsd, parseUsd, shortUsd } from '../../words/money';
import {
  type ISpending,
  type ISpent,
  readSpending,
  readTools,
  startOf,
  withOthers
} from '../../state/spendSums';
import { Chart, type IBar } from '../../widgets/chart';
import { revisionOf, useReading } from '../../widgets/hooks';
import { useNotation } from '../../widgets/notation';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { ErrorLine, Note } from '../../widgets/words';

/** The section with charts of what the notebook's open or last session spent. */
export const spendingSection: IPanelSection = {
  id: 'spend',
  rank: 60,
  title: trans => trans.__('Spending'),
  isShown: ({ state }) => state?.session_id != null,
  Body: Spending
};

/** Two charts of what a session spent: over time, and by tool or model. */
export function Spending(props: ISectionProps): React.JSX.Element {
  const { api, model, state, trans } = props;
  const notation = useNotation();
  const sessionId = state?.session_id ?? '';
  const { value, message } = useReading(
    sessionId,
    revisionOf(model, state),
    async () => {
      const [time, tools] = await Promise.all([
        readSpending(api.audit, sessionId),
        readTools(api.audit, sessionId)
      ]);
      return { time, tools };
    }
  );
  if (!value) {
    return <ErrorLine message={message} />;
  }
  const total = value.tools.reduce((sum, tool) => sum + tool.spent, 0n);
  if (total <= 0n) {
    // The state with the first spending can arrive before the sums of the records are loaded.
    return parseUsd(state?.spent ?? '0') > 0n ? (
      <ErrorLine message={message} />
    ) : (
      <Note>{trans.__('Nothing is spent yet.')}</Note>
    );
  }
  const { time, tools } = value;
  const nameOf = (start: string): string =>
    notation[time.by === 'day' ? 'day' : 'minute'](startOf(start));
  const charged = tools.filter(tool => tool.spent !== 0n);
  const figures = [trans.__('Spent'), trans.__('Records'), trans.__('Denied')];
  return (
    <>
      <Chart
        label={overTime(time, trans)}
        isOverTime
        columns={[trans.__('Time'), ...figures]}
        bars={time.intervals.map(interval =>
          barOf(interval, nameOf(interval.name), trans)
        )}
        summary={spanOf(time, nameOf)}
      />
      <Chart
        label={trans.__('By tool or model')}
        isOverTime={false}
        columns={[trans.__('Tool'), ...figures]}
        bars={withOthers(charged, trans.__('Others')).map(tool =>
          barOf(tool, oneLine(tool.name), trans)
        )}
        summary={trans.__('%1 in total', shortUsd(total))}
      />
      <ErrorLine message={message} />
    </>
  );
}

function barOf(spending: ISpent, name: string, trans: TranslationBundle): IBar {
  const { denied, records, spent } = spending;
  return {
    key: spending.name,
    name,
    value: spent,
    figures: [
      formatUsd(spent),
      trans._n('%1 record', '%1 records', records, records),
      trans.__('%1 denied', denied)
    ]
  };
}

function overTime(time: ISpending, trans: TranslationBundle): string {
  switch (time.by) {
    case 'day':
      return trans.__('By day (UTC)');
    case 'hour':
      return trans.__('By hour');
    case 'minute':
      return trans.__('By minute');
  }
}

/** Return when the chart starts and ends, as one text. */
function spanOf(time: ISpending, nameOf: (start: string) => string): string {
  const first = time.intervals[0]?.name ?? '';
  const last = time.intervals.at(-1)?.name ?? '';
  return first === last ? nameOf(first) : `${nameOf(first)} – ${nameOf(last)}`;
}
