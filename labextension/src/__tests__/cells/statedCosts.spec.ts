import { isFree, statedCost } from '../../cells/statedCosts';

describe('statedCost', () => {
  it.each([
    [
      '%%governed --tool deploy --cost 0.05 --requires L3\ndeploy()',
      50_000_000n
    ],
    [
      '%governance_spend 0.10 --tool gpt-4o\n%governance_spend 0.2',
      300_000_000n
    ],
    ['%governance_spend 0.000000001\n%governance_spend 0.000000001', 2n],
    ['decision = %governance_spend 5.00 --tool gpt-4o', 5_000_000_000n]
  ])('adds up what is written, without rounding: %s', (source, cost) => {
    expect(statedCost(source)).toBe(cost);
  });

  it.each([
    'import this',
    '%%governed --tool deploy\ndeploy()',
    '%%governed --cost {price}\ndeploy()',
    '%governance_spend $amount',
    '%governance_spend -1',
    'print("%governance_spend 5")',
    'text = "%governance_spend 5"',
    '5 % governance_spend',
    '# %governance_spend 5'
  ])('is null where a cell states none: %s', source => {
    expect(statedCost(source)).toBeNull();
  });
});

describe('isFree', () => {
  it.each([
    '',
    ' \n# %governance_spend 5',
    '%load_ext aumos_governance.jupyter_extension\n%governance --budget 1',
    '%governance_status'
  ])('is true where nothing can cost anything: %j', source => {
    expect(isFree(source)).toBe(true);
  });

  it.each([
    '%governance_spend $amount',
    '%governance --budget 1\nclient.create()',
    '%%governed --tool deploy\ndeploy()'
  ])('is false where something can: %j', source => {
    expect(isFree(source)).toBe(false);
  });
});
