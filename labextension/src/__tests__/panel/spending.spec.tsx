import { nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React from 'react';
import type { IAuditApi, IAuditFilters } from '../../server/auditApi';
import { Notation } from '../../words/notation';
import { NotationContext } from '../../widgets/notation';
import { Spending } from '../../panel/sections/spending';
import type { IPanelApi } from '../../tokens';
import type { IAuditSum } from '../../protocol/audit';
import {
  MAX_INTERVALS,
  readSpending,
  startOf,
  withOthers
} from '../../state/spendSums';
import { drawn } from '../support/drawing';
import { FakeModel } from '../support/fakes';
import { sampleState } from '../support/samples';

function sum(name: string, spent: string, records = 1): IAuditSum {
  return { name, spent, records, denied: 0 };
}

/** Returns the sums that a test prepared, and keeps the requests. */
function sums(
  responses: Readonly<Record<string, IAuditSum[]>>
): [IAuditApi, string[]] {
  const requested: string[] = [];
  const api = {
    sums: (by: string, { session_id }: IAuditFilters) => {
      requested.push(`${by} ${session_id}`);
      return Promise.resolve({ by, sums: responses[by] ?? [] });
    }
  } as unknown as IAuditApi;
  return [api, requested];
}

const days = (count: number): IAuditSum[] =>
  Array.from({ length: count }, (_, day) =>
    sum(new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10), '1')
  );

describe('readSpending', () => {
  it('takes days where there are some', async () => {
    const [api, requested] = sums({ day: days(3) });
    const { by, intervals } = await readSpending(api, 's');
    expect([by, intervals.length, requested]).toEqual(['day', 3, ['day s']]);
  });

  it('takes hours, then minutes, where it was short', async () => {
    const hour = ['T08', 'T09', 'T11'].map(time =>
      sum(`2026-01-01${time}:00Z`, '0.1')
    );
    const [api] = sums({ day: days(1), hour });
    const { by, intervals } = await readSpending(api, 's');
    expect(by).toBe('hour');
    expect(intervals.map(one => one.spent)).toEqual([
      100_000_000n,
      100_000_000n,
      0n,
      100_000_000n
    ]);
    const minute = [sum('2026-01-01T08:59Z', '0.1')];
    const [shorter, requested] = sums({ day: days(1), hour: days(1), minute });
    expect(await readSpending(shorter, 's')).toMatchObject({ by: 'minute' });
    expect(requested).toEqual(['day s', 'hour s', 'minute s']);
  });

  it('shows the last of a long time', async () => {
    const long = [sum('2024-01-01', '5'), ...days(200)];
    const [api] = sums({ day: long });
    const { intervals } = await readSpending(api, 's');
    expect(intervals).toHaveLength(MAX_INTERVALS);
    expect(intervals.at(-1)?.name).toBe(long.at(-1)?.name);
  });

  it('knows when days, hours and minutes begin', () => {
    expect(startOf('2026-11-22')).toBe(Date.UTC(2026, 10, 22));
    expect(startOf('2026-11-22T14:05Z')).toBe(Date.UTC(2026, 10, 22, 14, 5));
  });
});

describe('withOthers', () => {
  const tool = (
    name: string,
    spent: bigint
  ): Parameters<typeof withOthers>[0][0] => ({
    name,
    spent,
    records: 1,
    denied: 1
  });

  it('leaves few as they are', () => {
    const few = [tool('a', 2n), tool('b', 1n)];
    expect(withOthers(few, 'Others', 2)).toEqual(few);
  });

  it('adds up the others', () => {
    const many = [tool('a', 4n), tool('b', 3n), tool('c', 2n), tool('d', 1n)];
    expect(withOthers(many, 'Others', 2)).toEqual([
      tool('a', 4n),
      { name: 'Others', spent: 6n, records: 3, denied: 3 }
    ]);
  });
});

describe('Spending', () => {
  let widget: ReactWidget;

  async function show(
    responses: Readonly<Record<string, IAuditSum[]>>,
    spent = '3.004'
  ): Promise<void> {
    const [audit] = sums(responses);
    const state = sampleState('active', { spent });
    widget = ReactWidget.create(
      <NotationContext.Provider value={new Notation('de')}>
        <Spending
          model={new FakeModel()}
          api={{ audit } as unknown as IPanelApi}
          trans={nullTranslator.load('aumos_governance')}
          path={state.path}
          state={state}
        />
      </NotationContext.Provider>
    );
    Widget.attach(widget, document.body);
    await drawn(widget, () => widget.update());
    await drawn(
      widget,
      () => void new Promise(resolve => setTimeout(resolve, 20))
    );
    await new Promise(resolve => setTimeout(resolve, 50));
    await drawn(widget, () => widget.update());
  }

  afterEach(() => widget.dispose());

  const responses = {
    day: days(3),
    tool: [sum('<b>gpt\n4o', '2', 9), sum('claude', '1.004')]
  };

  const find = (selector: string): HTMLElement[] => [
    ...widget.node.querySelectorAll<HTMLElement>(selector)
  ];

  it('draws a bar for each, and a table for screen readers', async () => {
    await show(responses);
    expect(find('figure')).toHaveLength(2);
    const [time, tools] = find('table');
    expect(time?.querySelectorAll('tbody tr')).toHaveLength(3);
    expect(
      [...(tools?.querySelectorAll('tbody tr') ?? [])].map(row =>
        [...row.children].map(cell => cell.textContent)
      )
    ).toEqual([
      ['<b>gpt 4o', '$2.00', '9 records', '0 denied'],
      ['claude', '$1.004', '1 record', '0 denied']
    ]);
    const [overTime, byTool] = find('.aumos-Chart-figures');
    expect(overTime?.textContent).toBe('1. Jan. – 3. Jan.');
    expect(byTool?.textContent).toBe('$3.004 in total');
    expect(widget.node.querySelector('b')).toBeNull();
  });

  it('shows the figures of the bar that the keys lead to', async () => {
    await show(responses);
    const drawing = find('.aumos-Chart-drawing')[1];
    const press = (key: string): Promise<void> =>
      drawn(
        widget,
        () =>
          void drawing?.dispatchEvent(
            new KeyboardEvent('keydown', { key, bubbles: true })
          )
      );
    await press('ArrowDown');
    expect(find('.aumos-Chart-figures')[1]?.textContent).toBe(
      '<b>gpt 4o$2.00 · 9 records · 0 denied'
    );
    await press('ArrowDown');
    await press('ArrowDown');
    expect(find('.aumos-Chart-figures')[1]?.textContent).toContain('claude');
    await press('Escape');
    expect(find('.aumos-Chart-figures')[1]?.textContent).toBe(
      '$3.004 in total'
    );
  });

  it('shows that nothing is spent', async () => {
    await show({}, '0');
    expect(widget.node.textContent).toBe('Nothing is spent yet.');
  });

  it('does not deny a spend whose record is not read yet', async () => {
    await show({}, '0.25');
    expect(widget.node.textContent).toBe('');
  });

  it('rounds the amounts beside the bars, and keeps the exact ones', async () => {
    await show({ day: days(3), tool: [sum('gpt-4o', '0.2500925')] });
    const [amount] = find('.aumos-Chart-row .aumos-Money');
    expect(amount?.textContent).toBe('$0.2501');
    expect(amount?.title).toBe('$0.2500925');
  });
});
