import type { IEnvelope } from '../../protocol/session';
import { panelOfEachTest, PATH } from './panelScene';
import { envelopes, sampleConfig } from '../support/samples';

describe('the budget in the panel', () => {
  const panel = panelOfEachTest();

  it('shows the figures and who set them', async () => {
    await panel.show('held');
    const figures = panel.findAll('.aumos-Figures dd');
    expect(figures.map(node => node.textContent)).toEqual([
      '$6.00',
      '$1.50',
      '$2.50'
    ]);
    expect(panel.text('budget')).toContain('Set by teacher.');
    expect(panel.findAll('.aumos-BudgetBar-mark')).toHaveLength(2);
  });

  it('shows what was spent beyond it', async () => {
    await panel.show('overrun');
    expect(panel.text('budget')).toContain('Over$0.25');
    expect(panel.text('budget')).toContain('The budget is exceeded by $0.25.');
  });

  it('validates what is typed, and shows what it would leave', async () => {
    await panel.show('held');
    await panel.press('Edit the budget');
    await panel.type('1,5');
    expect(panel.text('budget')).toContain('such as 12.50');
    await panel.userPress('Set');
    expect(panel.changes).toEqual([]);
    await panel.type('7');
    expect(panel.text('budget')).toContain(
      'That is $0.50 less than what is spent and held'
    );
    await panel.type('20');
    expect(panel.text('budget')).toContain('$12.50 would be left.');
  });

  it('is set by a user only', async () => {
    await panel.show('active');
    await panel.press('Edit the budget');
    await panel.type('20');
    await panel.press('Raise to $20.00');
    panel
      .find('input')
      ?.dispatchEvent(
        new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })
      );
    expect(panel.changes).toEqual([]);
    expect(document.activeElement?.textContent).toBe('Raise to $20.00');
    await panel.userPress('Raise to $20.00');
    expect(panel.changes).toEqual([[PATH, { budget: '20' }]]);
    expect(panel.find('input')).toBeNull();
  });

  it('does not go above what the server allows', async () => {
    panel.model.config = sampleConfig('classroom');
    await panel.show('active');
    await panel.press('Edit the budget');
    await panel.type('5.01');
    expect(panel.text('budget')).toContain('The server allows at most $5.00.');
  });

  it('lies within the ceilings around it', async () => {
    panel.within = envelopes.valid.nested.envelopes as IEnvelope[];
    await panel.show('active');
    expect(panel.text('budget')).toContain('Ceilings');
    expect(panel.text('budget')).toContain('class-5');
    expect(panel.text('budget')).toContain('$38.50 of $100.00 left');
    expect(panel.text('budget')).toContain('team, each month');
    expect(panel.text('budget')).toContain('Only $0.00 can be spent');
  });
});
