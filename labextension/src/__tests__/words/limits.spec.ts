import { nullTranslator } from '@jupyterlab/translation';
import type { ILimitRequest } from '../../protocol/waiting';
import { limitWords } from '../../words/limits';
import { sampleConfig } from '../support/samples';
import { sampleLimit } from '../support/waitingFakes';

const TRANS = nullTranslator.load('aumos_governance');

function words(
  changes: Partial<ILimitRequest>,
  max_budget: string | null = null,
  mayChange = true
): ReturnType<typeof limitWords> {
  return limitWords(
    sampleLimit(changes),
    { config: { ...sampleConfig(), max_budget }, mayChange },
    TRANS
  );
}

describe('limitWords', () => {
  it('shows what one call needs, and proposes the least budget that fits', () => {
    expect(words({})).toEqual({
      needs: 'Needs $0.40 more than the budget has left.',
      all: null,
      advice: null,
      budget: '1.4'
    });
  });

  it('shows what several need together', () => {
    const several = words({ count: 8, needs_all: '11.2034' });
    expect(several.all).toBe('8 calls wait. Together they need $11.2034 more.');
    expect(several.budget).toBe('12.21');
  });

  it.each([
    ['12.2', '12.2'],
    ['5', '1.4'],
    ['1.4', '1.4']
  ])('with at most %s proposes %s', (most, budget) => {
    expect(words({ count: 8, needs_all: '11.2' }, most).budget).toBe(budget);
  });

  it.each([
    ['1.3', true, 'The server allows no budget that is large enough.'],
    [null, false, 'Ask the owner to raise the budget.']
  ])('with at most %s, allowed %s: %s', (most, mayChange, advice) => {
    expect(words({}, most, mayChange)).toMatchObject({ advice, budget: null });
  });

  it.each([
    ['owner', 'limit', 'Ask its administrator to raise it.'],
    ['category', 'budget', 'This budget is set in code, not in the panel.']
  ])('of the kind %s offers no budget', (kind, what, advice) => {
    expect(words({ limit: { kind, name: 'mine', allowed: '1' } })).toEqual({
      needs: `Needs $0.40 more than the ${what} \u2068mine\u2069 has left.`,
      all: null,
      advice,
      budget: null
    });
  });
});
