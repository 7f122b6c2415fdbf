import { figuresOf, type IFigures } from '../../words/figures';
import { sampleState } from '../support/samples';

const WARN_AT = ['0.5', '0.8'];

function figures(
  name: Parameters<typeof sampleState>[0],
  changes = {},
  warnAt = WARN_AT
): IFigures {
  const result = figuresOf(sampleState(name, changes), warnAt);
  if (!result) {
    throw new Error(`The sample ${name} has no figures.`);
  }
  return result;
}

describe('figuresOf', () => {
  it('has none where no session was ever opened', () => {
    expect(figuresOf(sampleState('never_opened'), WARN_AT)).toBeNull();
  });

  it('counts what is spent and held', () => {
    expect(figures('held')).toMatchObject({
      budget: 10_000_000_000n,
      spent: 6_000_000_000n,
      held: 1_500_000_000n,
      remaining: 2_500_000_000n,
      over: 0n,
      spentShare: 0.6,
      heldShare: 0.15,
      marks: [0.5, 0.8]
    });
  });

  it('never fills more than the bar', () => {
    const { spentShare, heldShare } = figures('overrun', { held: '3' });
    expect([spentShare, heldShare]).toEqual([1, 0]);
  });

  it.each([
    ['4.999999999', '0', 'normal', null],
    ['5', '0', 'notice', 0.5],
    ['4', '5', 'normal', null],
    ['7.999999999', '0', 'notice', 0.5],
    ['8', '0', 'warning', 0.8],
    ['1', '9', 'normal', null],
    ['9.999999999', '0', 'warning', 0.8],
    ['10', '0', 'full', 0.8],
    ['9', '1', 'warning', 0.8],
    ['11', '0', 'full', 0.8]
  ])('is for %s spent and %s held %s', (spent, held, severity, passed) => {
    expect(figures('active', { spent, held })).toMatchObject({
      severity,
      passed
    });
  });

  it('warns at the only mark there is', () => {
    expect(figures('active', { spent: '9' }, ['0.9']).severity).toBe('warning');
  });

  it('does not warn with no marks until all is used', () => {
    expect(figures('active', { spent: '9.9' }, []).severity).toBe('normal');
    expect(figures('active', { spent: '10' }, []).severity).toBe('full');
  });

  it('takes marks in any order, and none that no bar can show', () => {
    const marks = figures('active', {}, ['1', '0.8', '0', '0.5', '0.8']).marks;
    expect(marks).toEqual([0.5, 0.8]);
  });

  it('has nothing left of no budget', () => {
    expect(figures('no_budget')).toMatchObject({
      severity: 'full',
      spentShare: 0
    });
  });
});
