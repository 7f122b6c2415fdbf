import { statedCosts } from '../../cells/statedCosts';

const code = (source: string): { source: string; isCode: boolean } => ({
  source,
  isCode: true
});

describe('statedCosts', () => {
  it('adds up what is written', () => {
    const costs = statedCosts([
      { source: '# %governance_spend 5', isCode: false },
      code('%%governed --tool deploy --cost 0.05 --requires L3\ndeploy()'),
      code('%governance_spend 0.10 --tool gpt-4o\n%governance_spend 0.2'),
      code('')
    ]);
    expect(costs.total).toBe(350_000_000n);
    expect(costs.stated).toEqual([
      { cell: 2, cost: 50_000_000n },
      { cell: 3, cost: 300_000_000n }
    ]);
    expect(costs.unstated).toEqual([]);
  });

  it.each([
    'import this',
    '%%governed --tool deploy\ndeploy()',
    '%%governed --cost {price}\ndeploy()',
    '%governance_spend $amount',
    '%governance_spend -1',
    'print("%governance_spend 5")',
    '# %governance_spend 5'
  ])('names a cell that states none: %s', source => {
    expect(statedCosts([code(source)])).toEqual({
      total: 0n,
      stated: [],
      unstated: [1]
    });
  });

  it('adds without rounding', () => {
    const tiny = code('%governance_spend 0.000000001');
    expect(statedCosts([tiny, tiny, tiny]).total).toBe(3n);
  });
});
