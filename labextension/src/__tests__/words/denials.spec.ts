import { nullTranslator } from '@jupyterlab/translation';
import { remedyOf } from '../../words/denials';
import { sampleConfig, sampleState } from '../support/samples';
import { sampleRecord } from '../support/waitingFakes';

describe('remedyOf', () => {
  it.each([
    ['10', '10.2', null],
    ['9.8000001', '10.01', null],
    ['10', null, '10.1'],
    ['9.8', null, null],
    ['9.9999', '10.1999', '10.1999']
  ])('of %s denied at $9.80 left proposes %s', (amount, budget, most) => {
    const remedy = remedyOf(
      sampleRecord({ code: 'BUDGET_EXCEEDED', amount }),
      {
        state: sampleState('active'),
        config: { ...sampleConfig(), max_budget: most },
        mayChange: true
      },
      nullTranslator.load('aumos_governance')
    );
    expect(remedy?.budget).toBe(budget);
  });
});
